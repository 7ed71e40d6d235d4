#include "fleet/pgo/events/memory_bus.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/fleet/pgo/events/bus_conformance.h"

namespace wallprof::pgo {
namespace {

// The bus is both a writer and a reader, each of which is asked for alone.
class MemoryPlace : public BusPlace {
 public:
  std::unique_ptr<EventWriter> Writer() override {
    return std::make_unique<Half>(bus_);
  }
  std::unique_ptr<EventReader> Reader() override {
    return std::make_unique<Half>(bus_);
  }

 private:
  class Half : public EventWriter, public EventReader {
   public:
    explicit Half(MemoryBus& bus) : bus_(bus) {}
    absl::Status Publish(const Event& event) override {
      return bus_.Publish(event);
    }
    absl::StatusOr<std::unique_ptr<Delivery>> Receive(
        absl::Duration patience,
        const std::function<bool()>& cancelled) override {
      return bus_.Receive(patience, cancelled);
    }
    absl::Status Check() override { return bus_.Check(); }

   private:
    MemoryBus& bus_;
  };

  MemoryBus bus_;
};

INSTANTIATE_TEST_SUITE_P(Memory, BusConformance,
                         testing::Values([]() -> std::unique_ptr<BusPlace> {
                           return std::make_unique<MemoryPlace>();
                         }));

constexpr absl::Duration kSoon = absl::Milliseconds(20);

bool Never() { return false; }

std::unique_ptr<Delivery> Next(MemoryBus& bus,
                               absl::Duration patience = absl::Seconds(10)) {
  return bus.Receive(patience, Never).value();
}

TEST(MemoryBusTest, EventsComeInTheirOrder) {
  MemoryBus bus;
  std::vector<std::string> published;
  for (int i = 0; i < 20; ++i) {
    const Event event =
        NewEvent(kUploaded, "shop", absl::StrCat("shop/staging/", i));
    ASSERT_EQ(bus.Publish(event), absl::OkStatus());
    published.push_back(EncodeEvent(event));
  }
  for (const std::string& text : published) {
    const auto delivery = Next(bus);
    ASSERT_NE(delivery, nullptr);
    EXPECT_EQ(delivery->text(), text);
    EXPECT_EQ(delivery->Acknowledge(), absl::OkStatus());
  }
  EXPECT_EQ(Next(bus, kSoon), nullptr);
}

TEST(MemoryBusTest, WhatIsReturnedComesAgainLater) {
  MemoryBus bus;
  ASSERT_EQ(bus.Publish(NewEvent(kDeleted, "shop")), absl::OkStatus());
  const std::string text(Next(bus)->text());  // destroyed without a word
  auto delivery = Next(bus);
  ASSERT_NE(delivery, nullptr);
  EXPECT_EQ(delivery->text(), text);
  const absl::Time returned = absl::Now();
  ASSERT_EQ(delivery->Return(absl::Milliseconds(200)), absl::OkStatus());
  delivery.reset();
  delivery = Next(bus);
  ASSERT_NE(delivery, nullptr);
  EXPECT_EQ(delivery->text(), text);
  EXPECT_GE(absl::Now() - returned, absl::Milliseconds(200));
  ASSERT_EQ(delivery->Acknowledge(), absl::OkStatus());
  EXPECT_FALSE(delivery->Return(absl::ZeroDuration()).ok());
  delivery.reset();
  EXPECT_EQ(Next(bus, kSoon), nullptr);
}

TEST(MemoryBusTest, ReceivingEndsWhenItIsCancelled) {
  MemoryBus bus;
  std::atomic<bool> cancelled{false};
  std::thread reader([&] {
    const auto none =
        bus.Receive(absl::Hours(1), [&] { return cancelled.load(); });
    EXPECT_TRUE(none.ok());
    EXPECT_EQ(none.value(), nullptr);
  });
  cancelled = true;
  reader.join();
}

TEST(MemoryBusTest, ReadersShareTheEvents) {
  MemoryBus bus;
  constexpr int kEvents = 500;
  std::mutex mutex;
  std::multiset<std::string> seen;
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (const auto delivery = Next(bus, absl::Milliseconds(300))) {
        EXPECT_EQ(delivery->Acknowledge(), absl::OkStatus());
        const std::lock_guard<std::mutex> lock(mutex);
        seen.emplace(delivery->text());
      }
    });
  }
  for (int i = 0; i < kEvents; ++i) {
    ASSERT_EQ(bus.Publish(NewEvent(kDeleted, "shop")), absl::OkStatus());
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(seen.size(), static_cast<size_t>(kEvents));
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(),
            static_cast<size_t>(kEvents));
}

}  // namespace
}  // namespace wallprof::pgo
