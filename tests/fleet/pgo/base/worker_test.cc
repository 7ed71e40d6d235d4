#include "fleet/pgo/base/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/names.h"
#include "tests/fleet/pgo/base/simulated.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WorkerOptions Calm() { return {}; }

int64_t IdOf(int i) {
  return absl::ToUnixNanos(Beginning() + absl::Hours(100)) + i;
}

std::string Plain(int i) { return ProfileNumber(i, "v1", Beginning()); }

TEST(WorkerTest, MergesDeletesAndCopies) {
  Site site;
  for (int i = 0; i < 5; ++i) site.Upload("shop", Plain(i), IdOf(i));
  const WorkerCounts counts = site.Work(1, Calm);
  EXPECT_EQ(counts.merged, 5);
  EXPECT_EQ(counts.failures, 0);
  EXPECT_GE(counts.deleted, 5);
  EXPECT_THAT(site.Kinds(), ElementsAre("shop/base/*", "shop/default.pgo",
                                        "shop/parts/*", "shop/state/*"));
  const auto base = site.store.Download("shop");
  ASSERT_TRUE(base.ok()) << base.status();
  EXPECT_EQ(site.objects.Get("shop/default.pgo", kAny).value(), *base);
  const auto profile = DecodePprof(*base);
  ASSERT_TRUE(profile.ok()) << profile.status();
  const BaseInfo info = site.store.Describe("shop").value();
  EXPECT_EQ(info.bytes, static_cast<int64_t>(base->size()));
  EXPECT_LT(absl::Now() - info.modified, absl::Minutes(1));
}

TEST(WorkerTest, OrderAndBatchesDoNotMatter) {
  std::string expected;
  for (const int batch : {1, 3, 100}) {
    Site site;
    for (int i = 0; i < 10; ++i) {
      const int number = batch == 3 ? 9 - i : i;
      site.Upload("shop", Plain(number), IdOf(number));
    }
    site.Work(1, [batch] {
      WorkerOptions options;
      options.batch = batch;
      return options;
    });
    const std::string base = site.store.Download("shop").value();
    if (expected.empty()) expected = base;
    EXPECT_TRUE(base == expected) << batch;
  }
}

TEST(WorkerTest, SweepFindsWhatNoEventToldOf) {
  Site site;
  ASSERT_TRUE(site.store.Stage("shop", Plain(1), IdOf(1)).ok());
  ASSERT_TRUE(site.store.Stage("web", Plain(2), IdOf(2)).ok());
  Worker worker(site.store, site.bus, site.bus, Calm());
  EXPECT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_EQ(worker.counts().merged, 2);
  EXPECT_EQ(site.bus.published(kMerged), 2);
  const auto listed = site.store.List().value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].app, "shop");
  EXPECT_EQ(listed[1].app, "web");
  EXPECT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_EQ(worker.counts().merged, 2) << "nothing twice";
}

// The staged object is there again after it was merged: a sender that got no
// answer has sent it once more.
TEST(WorkerTest, LateRetriesCountOnce) {
  Site site;
  site.Upload("shop", Plain(1), IdOf(1));
  site.Upload("shop", Plain(2), IdOf(2));
  site.Work(1, Calm);
  const std::string before = site.store.Download("shop").value();
  site.Upload("shop", Plain(1), IdOf(1));
  const WorkerCounts counts = site.Work(1, Calm);
  EXPECT_EQ(counts.merged, 0);
  EXPECT_GE(counts.duplicates, 1);
  EXPECT_EQ(site.store.Download("shop").value(), before);
}

TEST(WorkerTest, PoisonIsPutAsideAndStopsNothing) {
  Site site;
  std::mutex mutex;
  std::vector<std::string> told;
  site.Upload("shop", "no profile", IdOf(1));
  site.Upload("shop", Plain(2), IdOf(2));
  site.Upload("shop", "", IdOf(3));
  site.Upload("shop", std::string(5000, 'x'), IdOf(4));
  const WorkerCounts counts = site.Work(1, [&] {
    WorkerOptions options;
    options.limits.message_bytes = 4000;
    options.log = [&](const fleet::LogLine& line) {
      const std::lock_guard<std::mutex> lock(mutex);
      told.push_back(line.text());
    };
    options.warn = options.log;
    return options;
  });
  EXPECT_EQ(counts.merged, 1);
  EXPECT_EQ(counts.quarantined, 3);
  EXPECT_EQ(counts.failures, 0);
  const std::string key = QuarantineKey(StagingKey("shop", IdOf(1)));
  EXPECT_EQ(site.objects.Get(key, kAny).value(), "no profile");
  EXPECT_GT(site.objects.Get(key + ".reason", kAny).value().size(), 10u);
  EXPECT_THAT(
      site.objects.Get(ReasonKey(StagingKey("shop", IdOf(4))), kAny).value(),
      HasSubstr("too large"));
  EXPECT_THAT(told, Contains(HasSubstr("event=pgo_profile_put_aside")));
  EXPECT_THAT(told, Contains(HasSubstr("event=pgo_version")));
}

TEST(WorkerTest, EventsThatMakeNoSenseAreDoneWith) {
  Site site;
  std::mutex mutex;
  int refused = 0;
  for (const Event& event : {NewEvent(kUploaded, "../etc", "../etc/staging/1"),
                             NewEvent(kUploaded, "shop", "web/staging/1"),
                             NewEvent(kUploaded, "shop", "shop/staging/01"),
                             NewEvent(kMerged, "shop", "shop/default.pgo", "x"),
                             NewEvent("profile.unknown", "shop")}) {
    ASSERT_EQ(site.bus.Publish(event), absl::OkStatus());
  }
  site.Upload("shop", Plain(1), IdOf(1));
  const WorkerCounts counts = site.Work(
      1,
      [&] {
        WorkerOptions options;
        options.log = [&](const fleet::LogLine& line) {
          const std::lock_guard<std::mutex> lock(mutex);
          refused += line.text().find("pgo_event_refused") != std::string::npos;
        };
        options.warn = options.log;
        return options;
      },
      [&] {
        const std::lock_guard<std::mutex> lock(mutex);
        return refused >= 4;
      });
  EXPECT_EQ(counts.failures, 0);
  EXPECT_EQ(counts.merged, 1);
}

TEST(WorkerTest, ProfilesThatAreNotMergedAreNotDeleted) {
  Site site;
  ASSERT_TRUE(site.store.Stage("shop", Plain(1), IdOf(1)).ok());
  site.Upload("web", Plain(2), IdOf(2));
  // The record cannot be had while the event is looked at, then it can.
  ASSERT_EQ(site.bus.Publish(
                NewEvent(kMerged, "shop", StagingKey("shop", IdOf(1)), "x")),
            absl::OkStatus());
  const WorkerCounts counts = site.Work(1, Calm);
  EXPECT_EQ(counts.merged, 2) << "the sweep's and the event's";
  EXPECT_TRUE(site.store.Download("shop").ok());
}

TEST(WorkerTest, EnginesThatAreAwayAreWaitedForAndToldOnce) {
  Site site;
  std::mutex mutex;
  std::vector<std::string> told;
  std::atomic<bool> away{true};
  site.Upload("shop", Plain(1), IdOf(1));
  const Fault gone = [&away](std::string_view, std::string_view, bool) {
    return away ? absl::UnavailableError("nobody answers") : absl::OkStatus();
  };
  site.versions.SetFault(gone);
  site.bus.SetFault(gone);
  std::thread comes_back([&] {
    absl::SleepFor(absl::Milliseconds(700));
    away = false;
  });
  const WorkerCounts counts = site.Work(1, [&] {
    WorkerOptions options;
    options.log = [&](const fleet::LogLine& line) {
      const std::lock_guard<std::mutex> lock(mutex);
      told.push_back(line.text());
    };
    options.warn = options.log;
    return options;
  });
  comes_back.join();
  EXPECT_EQ(counts.merged, 1);
  EXPECT_GT(counts.failures, 1);
  EXPECT_LT(counts.failures, 40) << "it waits";
  int troubles = 0;
  for (const std::string& line : told) {
    troubles +=
        line.find("pgo_trouble with=\"receiving events\"") != std::string::npos;
  }
  EXPECT_EQ(troubles, 1) << "once";
  EXPECT_THAT(
      told, Contains(HasSubstr("pgo_trouble_over with=\"receiving events\"")));
}

TEST(WorkerTest, OneApplicationThatFailsHoldsUpNoOther) {
  Site site;
  std::atomic<int> failed{0};
  site.versions.SetFault([&](std::string_view, std::string_view app, bool) {
    if (app != "shop") return absl::OkStatus();
    ++failed;
    return absl::PermissionDeniedError("not this one");
  });
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(site.bus.Publish(
                  NewEvent(kUploaded, "shop", StagingKey("shop", IdOf(i)))),
              absl::OkStatus());
  }
  bool uploaded = false;
  const WorkerCounts counts = site.Work(1, Calm, [&] {
    // After the sweep at the start, so that it is its event that is heeded,
    // behind those that fail.
    if (failed > 0 && !uploaded) {
      site.Upload("web", Plain(1), IdOf(1));
      uploaded = true;
    }
    return site.bus.published(kMerged) != 0;
  });
  // It took less than a minute, in which there is time to wait for a few.
  EXPECT_GE(counts.failures, 50);
  EXPECT_EQ(counts.merged, 1);
}

TEST(WorkerTest, NothingToDoCostsNothing) {
  Site site;
  site.Upload("shop", Plain(1), IdOf(1));
  site.Work(1, Calm);
  Worker worker(site.store, site.bus, site.bus, Calm());
  std::atomic<bool> stop{false};
  std::thread thread([&] { worker.Run([&] { return stop.load(); }); });
  absl::SleepFor(absl::Milliseconds(200));
  const std::map<std::string, int> before = site.objects.calls();
  const std::clock_t cpu = std::clock();
  absl::SleepFor(absl::Milliseconds(500));
  EXPECT_LT(std::clock() - cpu, CLOCKS_PER_SEC / 5) << "half a second's";
  EXPECT_EQ(site.objects.calls(), before);
  stop = true;
  thread.join();
}

TEST(WorkerTest, ManyEventsOfOneBatchAreCheap) {
  Site site;
  for (int i = 0; i < 300; ++i) site.Upload("shop", Plain(i % 5), IdOf(i));
  site.Work(1, [] {
    WorkerOptions options;
    options.batch = 100;
    options.sweep_period = absl::Hours(1);
    return options;
  });
  const auto calls = site.objects.calls();
  EXPECT_LT(calls.at("List"), 20);
  EXPECT_LE(site.objects.Keys("shop/").size(), 4u);
  // Three versions: a part, a base, a manifest and a copy each, and what was
  // uploaded.
  EXPECT_LE(calls.at("Put"), 300 + 3 * 4);
}

// A bus that holds one event, to see what becomes of it.
class OneEvent : public EventReader {
 public:
  OneEvent(
      std::string text, std::vector<std::string>& said,
      std::function<void()> before = [] {})
      : text_(std::move(text)), said_(said), before_(std::move(before)) {}

  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration, const std::function<bool()>&) override {
    if (text_.empty()) return nullptr;
    before_();
    return std::make_unique<Held>(std::exchange(text_, ""), said_);
  }
  absl::Status Check() override { return absl::OkStatus(); }

 private:
  class Held : public Delivery {
   public:
    Held(std::string text, std::vector<std::string>& said)
        : text_(std::move(text)), said_(said) {}
    std::string_view text() const override { return text_; }
    absl::Status Acknowledge() override {
      said_.push_back("acknowledged");
      return absl::OkStatus();
    }
    absl::Status Return(absl::Duration) override {
      said_.push_back("returned");
      return absl::OkStatus();
    }
    void Extend() override { said_.push_back("extended"); }

   private:
    std::string text_;
    std::vector<std::string>& said_;
  };

  std::string text_;
  std::vector<std::string>& said_;
  const std::function<void()> before_;
};

TEST(WorkerTest, LongMergesSayThatTheyGoOn) {
  Site site;
  std::vector<std::string> said;
  // Not before the sweep at the start, which would merge it.
  OneEvent bus(
      EncodeEvent(NewEvent(kUploaded, "shop", StagingKey("shop", IdOf(2)))),
      said,
      [&] { ASSERT_TRUE(site.store.Stage("shop", Plain(2), IdOf(2)).ok()); });
  WorkerOptions options;
  options.extend_period = absl::ZeroDuration();
  Worker worker(site.store, bus, site.bus, std::move(options));
  worker.Run([&] { return !said.empty() && said.back() == "acknowledged"; });
  ASSERT_GT(said.size(), 2u);
  EXPECT_EQ(said.front(), "extended");
  EXPECT_EQ(worker.counts().merged, 1);
}

TEST(WorkerTest, WhatFailsIsReturned) {
  Site site;
  std::vector<std::string> said;
  OneEvent bus(
      EncodeEvent(NewEvent(kUploaded, "shop", StagingKey("shop", IdOf(1)))),
      said);
  site.versions.SetFault([](std::string_view, std::string_view, bool) {
    return absl::UnavailableError("nobody answers");
  });
  Worker worker(site.store, bus, site.bus, Calm());
  worker.Run([&] { return !said.empty(); });
  EXPECT_THAT(said, ElementsAre("returned"));
  EXPECT_EQ(worker.counts().failures, 1);
}

}  // namespace
}  // namespace wallprof::pgo
