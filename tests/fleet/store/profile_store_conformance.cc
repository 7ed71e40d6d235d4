#include "tests/fleet/store/profile_store_conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

void ProfileStoreConformance::SetUp() {
  place_ = GetParam()();
  Reopen();
}

void ProfileStoreConformance::Reopen(Retention retention) {
  store_.reset();
  StoreOptions options;
  options.retention = std::move(retention);
  auto mutex = std::make_shared<std::mutex>();
  options.log = [this, mutex](const fleet::LogLine& line) {
    const std::lock_guard lock(*mutex);
    lines_.push_back(line.text());
  };
  auto opened = place_->Open(std::move(options));
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = *std::move(opened);
}

bool ProfileStoreConformance::Add(const ProfileInfo& info, int number) {
  const std::string message = SampleMessage(number);
  const std::string gzipped = GzipOf(message);
  NewProfile profile = {info, message, gzipped};
  const absl::StatusOr<bool> is_new = store_->Add(profile);
  EXPECT_TRUE(is_new.ok()) << is_new.status();
  return is_new.ok() && *is_new;
}

std::string ProfileStoreConformance::MessageOf(const std::string& id) {
  const auto entries = store_->Get({id});
  EXPECT_TRUE(entries.ok()) << entries.status();
  if (!entries.ok() || entries->size() != 1) return "not there";
  const auto message = store_->Read(entries->front());
  EXPECT_TRUE(message.ok()) << message.status();
  return message.value_or("unreadable");
}

namespace {

TEST_P(ProfileStoreConformance, GivesBackWhatWasAdded) {
  const ProfileInfo info = SampleInfo(1);
  EXPECT_TRUE(Add(info, 1));
  const auto found = FindAll(*store_);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].info.id, info.id);
  EXPECT_EQ(found[0].info.series, info.series);
  EXPECT_EQ(found[0].info.created_at, info.created_at);
  EXPECT_EQ(found[0].message_bytes, 2000);
  EXPECT_EQ(MessageOf(info.id), SampleMessage(1));
}

TEST_P(ProfileStoreConformance, TakesWhatIsNotCompressedOrEmpty) {
  const ProfileInfo plain = SampleInfo(1);
  const std::string message = SampleMessage(1);
  EXPECT_TRUE(store_->Add({plain, message, ""}).ok());
  EXPECT_EQ(MessageOf(plain.id), message);
  const ProfileInfo empty = SampleInfo(2);
  EXPECT_TRUE(store_->Add({empty, "", ""}).ok());
  EXPECT_EQ(MessageOf(empty.id), "");
}

TEST_P(ProfileStoreConformance, TakesGzipOfSeveralMembers) {
  const ProfileInfo info = SampleInfo(1);
  const std::string members = GzipOf("first, ") + GzipOf("second");
  EXPECT_TRUE(store_->Add({info, "first, second", members}).ok());
  EXPECT_EQ(MessageOf(info.id), "first, second");
}

TEST_P(ProfileStoreConformance, WhatIsSentAgainIsNotKeptTwice) {
  const ProfileInfo info = SampleInfo(1);
  EXPECT_TRUE(Add(info, 1));
  EXPECT_FALSE(Add(info, 2));
  EXPECT_EQ(MessageOf(info.id), SampleMessage(1));
  const auto statistics = store_->Stats();
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->profiles, 1);
  EXPECT_EQ(statistics->added, 1);
  EXPECT_EQ(statistics->duplicates, 1);
}

TEST_P(ProfileStoreConformance, OfManyThatSendTheSameOneIsFirst) {
  std::atomic<int> are_new = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int number = 0; number < 20; ++number) {
        if (Add(SampleInfo(number), number)) ++are_new;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(are_new, 20);
  EXPECT_THAT(FindAll(*store_), SizeIs(20));
  const auto statistics = store_->Stats();
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->duplicates, 7 * 20);
  EXPECT_LE(statistics->commits, 20);
}

TEST_P(ProfileStoreConformance, HasItAllWhenOpenedAgain) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Add(SampleInfo(i), i));
  ASSERT_TRUE(store_->Delete({SampleInfo(3).id}).ok());
  Reopen();
  EXPECT_THAT(FindAll(*store_), SizeIs(9));
  EXPECT_EQ(MessageOf(SampleInfo(7).id), SampleMessage(7));
  EXPECT_FALSE(Add(SampleInfo(7), 7));
  EXPECT_TRUE(Add(SampleInfo(3), 3)) << "what was removed may come again";
}

TEST_P(ProfileStoreConformance, WhatIsDeletedIsGone) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Add(SampleInfo(i), i));
  const auto entries = FindAll(*store_);
  const auto deleted =
      store_->Delete({SampleInfo(0).id, SampleInfo(1).id, "unknown"});
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(*deleted, 2);
  EXPECT_THAT(IdsOf(FindAll(*store_)), ElementsAre(SampleInfo(2).id));
  EXPECT_TRUE(store_->Delete({SampleInfo(2).id}).ok());
  EXPECT_EQ(*store_->CountSeries(), 0);
  const auto series = store_->FindSeries({});
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_THAT(*series, IsEmpty());
}

TEST_P(ProfileStoreConformance, FindsBySelectorAndTime) {
  const absl::Time later = kSampleTime + absl::Hours(1);
  EXPECT_TRUE(Add(SampleInfo(1, kSampleTime, "shop", "a"), 1));
  EXPECT_TRUE(Add(SampleInfo(2, later, "shop", "b"), 2));
  EXPECT_TRUE(Add(SampleInfo(3, kSampleTime, "bank", "a"), 3));
  const auto count = [&](const Query& query) {
    return FindAll(*store_, query).size();
  };
  EXPECT_EQ(count(QueryOf(R"(service="shop")")), 2);
  EXPECT_EQ(count(QueryOf(R"(service="shop",host="b")")), 1);
  EXPECT_EQ(count(QueryOf(R"(host="a")")), 2);
  EXPECT_EQ(count(QueryOf(R"(service=~"s.*|b.*")", later, later)), 1);
  EXPECT_EQ(count(QueryOf("", absl::InfinitePast(), kSampleTime)), 2);
}

TEST_P(ProfileStoreConformance, CanBeUsed) {
  const absl::Status usable = store_->Check();
  EXPECT_TRUE(usable.ok()) << usable;
}

TEST_P(ProfileStoreConformance, HousekeepingLeavesWhatIsThere) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Add(SampleInfo(i), i));
  Reopen();
  for (int i = 5; i < 10; ++i) EXPECT_TRUE(Add(SampleInfo(i), i));
  for (int round = 0; round < 2; ++round) {
    const absl::Status kept = store_->KeepHouse();
    ASSERT_TRUE(kept.ok()) << kept;
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(MessageOf(SampleInfo(i).id), SampleMessage(i)) << i;
    }
  }
}

TEST_P(ProfileStoreConformance, WhatIsDeletedTakesNoSpace) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Add(SampleInfo(i), i));
  Reopen();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(store_->Delete({SampleInfo(i).id}).ok());
  }
  ASSERT_TRUE(store_->KeepHouse().ok());
  const auto statistics = store_->Stats();
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->segment_bytes, 0);
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProfileStoreConformance);

}  // namespace wallprof::store
