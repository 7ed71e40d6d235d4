#include "tests/fleet/pgo/events/bus_conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "absl/time/clock.h"

namespace wallprof::pgo {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BusConformance);

std::unique_ptr<Delivery> Next(EventReader& reader, absl::Duration patience) {
  auto received = reader.Receive(patience, nullptr);
  EXPECT_TRUE(received.ok()) << received.status();
  if (!received.ok()) return nullptr;
  EXPECT_NE(*received, nullptr) << "no event came";
  return *std::move(received);
}

bool IsEmpty(EventReader& reader) {
  const auto received = reader.Receive(absl::Milliseconds(300), nullptr);
  EXPECT_TRUE(received.ok()) << received.status();
  return received.ok() && *received == nullptr;
}

std::string IdOf(const Delivery& delivery) {
  const auto event = DecodeEvent(delivery.text());
  EXPECT_TRUE(event.ok()) << event.status() << delivery.text();
  return event.ok() ? event->id : "";
}

std::string Write(EventWriter& writer, std::string_view app) {
  const Event event = NewEvent(kDeleted, app);
  const absl::Status published = writer.Publish(event);
  EXPECT_TRUE(published.ok()) << published;
  return event.id;
}

TEST_P(BusConformance, AnEventComesAsItWent) {
  const auto writer = place_->Writer();
  const auto reader = place_->Reader();
  const Event event = NewEvent(kMerged, "shop", "shop/staging/1", "shop/a");
  ASSERT_TRUE(writer->Publish(event).ok());
  const auto delivery = Next(*reader);
  ASSERT_NE(delivery, nullptr);
  EXPECT_EQ(delivery->text(), EncodeEvent(event));
  EXPECT_TRUE(delivery->Acknowledge().ok());
  EXPECT_TRUE(writer->Check().ok()) << writer->Check();
  EXPECT_TRUE(reader->Check().ok()) << reader->Check();
}

TEST_P(BusConformance, ThoseOfAnApplicationComeInOrder) {
  const auto writer = place_->Writer();
  const auto reader = place_->Reader();
  std::map<std::string, std::vector<std::string>> written, read;
  for (int i = 0; i < 30; ++i) {
    const std::string app = i % 3 == 0 ? "shop" : "till";
    written[app].push_back(Write(*writer, app));
  }
  for (int i = 0; i < 30; ++i) {
    const auto delivery = Next(*reader);
    ASSERT_NE(delivery, nullptr);
    const auto event = DecodeEvent(delivery->text());
    ASSERT_TRUE(event.ok());
    read[event->app].push_back(event->id);
    EXPECT_TRUE(delivery->Acknowledge().ok());
  }
  EXPECT_EQ(read, written);
}

TEST_P(BusConformance, WhatIsAcknowledgedDoesNotComeAgain) {
  const auto writer = place_->Writer();
  auto reader = place_->Reader();
  Write(*writer, "shop");
  ASSERT_TRUE(Next(*reader)->Acknowledge().ok());
  EXPECT_TRUE(IsEmpty(*reader));
  reader = nullptr;
  reader = place_->Reader();
  const std::string id = Write(*writer, "shop");
  const auto delivery = Next(*reader);
  ASSERT_NE(delivery, nullptr);
  EXPECT_EQ(IdOf(*delivery), id);
  EXPECT_TRUE(delivery->Acknowledge().ok());
}

TEST_P(BusConformance, WhatNothingWasSaidOfComesAgain) {
  const auto writer = place_->Writer();
  const auto reader = place_->Reader();
  const std::string id = Write(*writer, "shop");
  EXPECT_EQ(IdOf(*Next(*reader)), id);
  const auto again = Next(*reader);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(IdOf(*again), id);
  EXPECT_TRUE(again->Acknowledge().ok());
  EXPECT_TRUE(IsEmpty(*reader));
}

TEST_P(BusConformance, WhatIsReturnedComesLaterAndHoldsUpNobody) {
  constexpr absl::Duration kDelay = absl::Seconds(1);
  const auto writer = place_->Writer();
  const auto reader = place_->Reader();
  const std::string first = Write(*writer, "shop");
  const std::string second = Write(*writer, "till");
  const auto returned = Next(*reader);
  ASSERT_NE(returned, nullptr);
  const std::string id = IdOf(*returned);
  const absl::Time start = absl::Now();
  ASSERT_TRUE(returned->Return(kDelay).ok());
  const auto other = Next(*reader);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(IdOf(*other), id == first ? second : first);
  EXPECT_TRUE(other->Acknowledge().ok());
  const auto again = Next(*reader);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(IdOf(*again), id);
  EXPECT_GE(absl::Now() - start, 0.9 * kDelay);
  EXPECT_TRUE(again->Acknowledge().ok());
}

TEST_P(BusConformance, ReadersShareTheEvents) {
  const auto writer = place_->Writer();
  std::vector<std::unique_ptr<EventReader>> readers;
  for (int i = 0; i < 2; ++i) readers.push_back(place_->Reader());
  std::set<std::string> written, read;
  for (int i = 0; i < 40; ++i) {
    written.insert(Write(*writer, "app-" + std::to_string(i % 10)));
  }
  std::mutex mutex;
  const absl::Time end = absl::Now() + kPatience;
  const auto is_done = [&] {
    std::lock_guard lock(mutex);
    return read.size() == written.size() || absl::Now() > end;
  };
  std::vector<std::thread> threads;
  for (auto& reader : readers) {
    threads.emplace_back([&] {
      while (!is_done()) {
        const auto received = reader->Receive(absl::Seconds(1), is_done);
        if (!received.ok() || *received == nullptr) continue;
        {
          std::lock_guard lock(mutex);
          read.insert(IdOf(**received));
        }
        // May come again: who comes may take over from who was at it.
        (*received)->Acknowledge().IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(read, written);
}

TEST_P(BusConformance, WaitingEndsWhenItIsTold) {
  const auto reader = place_->Reader();
  EXPECT_TRUE(IsEmpty(*reader));
  std::atomic<int> asked{0};
  const auto received =
      reader->Receive(10 * kPatience, [&] { return ++asked > 3; });
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_EQ(*received, nullptr);
  EXPECT_EQ(asked, 4);
}

TEST_P(BusConformance, EventsOfWritersOfManyThreadsAllCome) {
  const auto writer = place_->Writer();
  const auto reader = place_->Reader();
  std::mutex mutex;
  std::set<std::string> written, read;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 10; ++j) {
        const std::string id = Write(*writer, "app-" + std::to_string(i));
        std::lock_guard lock(mutex);
        written.insert(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (read.size() < written.size()) {
    const auto delivery = Next(*reader);
    ASSERT_NE(delivery, nullptr);
    read.insert(IdOf(*delivery));
    EXPECT_TRUE(delivery->Acknowledge().ok());
  }
  EXPECT_EQ(read, written);
}

}  // namespace wallprof::pgo
