#include "fleet/pgo/base/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/names.h"
#include "tests/fleet/pgo/base/simulated.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST(WorkerTest, BaseOfAnotherProgramIsAdopted) {
  Site site;
  ASSERT_EQ(site.objects.Put("shop/default.pgo", Plain(1)), absl::OkStatus());
  Worker worker(site.store, site.bus, site.bus, Calm());
  EXPECT_EQ(worker.Sweep(), absl::OkStatus());
  const std::string adopted = site.store.Download("shop").value();
  EXPECT_EQ(site.objects.Get("shop/default.pgo", kAny).value(), adopted);
  Site other;
  other.Upload("shop", Plain(1), IdOf(1));
  other.Work(1, Calm);
  EXPECT_TRUE(other.store.Download("shop").value() == adopted);
  // Another worker does not adopt it once more.
  Worker second(site.store, site.bus, site.bus, Calm());
  EXPECT_EQ(second.Sweep(), absl::OkStatus());
  EXPECT_EQ(site.store.Download("shop").value(), adopted);
}

TEST(WorkerTest, AdoptedBaseMayHaveMoreInItThanAProfile) {
  const int64_t many = int64_t{1} << 57;
  const std::string base = EncodePprof(CpuProfile({{{"main"}, {many, many}}}));
  ASSERT_FALSE(AcceptProfile(base, "").ok());
  Site site;
  ASSERT_EQ(site.objects.Put("shop/default.pgo", base), absl::OkStatus());
  Worker worker(site.store, site.bus, site.bus, Calm());
  EXPECT_EQ(worker.Sweep(), absl::OkStatus());
  const auto adopted = DecodePprof(site.store.Download("shop").value());
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_THAT(adopted->samples.at(0).values, ElementsAre(many, many));
}

TEST(WorkerTest, BaseThatCannotBeAdoptedIsPutAside) {
  Site site;
  ASSERT_EQ(site.objects.Put("shop/default.pgo", "heap"), absl::OkStatus());
  site.Upload("shop", Plain(1), IdOf(1));
  const WorkerCounts counts = site.Work(1, Calm);
  EXPECT_EQ(counts.quarantined, 1);
  EXPECT_EQ(site.objects.Get("shop/quarantine/default.pgo", kAny).value(),
            "heap");
  EXPECT_EQ(site.objects.Get("shop/default.pgo", kAny).value(),
            site.store.Download("shop").value());
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

TEST(WorkerTest, RulesCanBeSetLater) {
  Site site;
  site.Upload("shop",
              Accepted(CpuProfile({{{"main", "hot"}, {5, 50}, {}},
                                   {{"main", "dull"}, {3, 30}, {}}})),
              IdOf(1));
  Worker worker(site.store, site.bus, site.bus, Calm());
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_THAT(TextOf(site.store.Download("shop").value()), HasSubstr("dull"));
  worker.SetRules(
      PruneRules::Parse(R"([{"app":"shop","rules":[{"drop":"dull"}]}])", "f")
          .value());
  site.Upload("shop", Accepted(CpuProfile({{{"main", "hot"}, {5, 50}, {}}})),
              IdOf(2));
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_THAT(TextOf(site.store.Download("shop").value()),
              Not(HasSubstr("dull")));
}

TEST(WorkerTest, OldProfilesFadeAndGo) {
  Site site;
  WorkerOptions options;
  options.policy.half_life = absl::Hours(1);
  const auto add = [&](int id, const char* function, absl::Duration after) {
    Profile profile = CpuProfile({{{"main", function}, {64, 640}, {}}});
    profile.time = Beginning() + after;
    site.Upload("shop", Accepted(profile), IdOf(id));
  };
  add(1, "old", absl::ZeroDuration());
  add(2, "new", absl::Hours(3));
  Worker worker(site.store, site.bus, site.bus, std::move(options));
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  const auto current = ReadCurrent(site.store, "shop").value();
  EXPECT_EQ(current.manifest->parts.size(), 2u);
  Profile profile = DecodePprof(site.store.Download("shop").value()).value();
  int64_t sum = 0;
  for (const Sample& sample : profile.samples) sum += sample.values[0];
  EXPECT_EQ(sum, 64 + 8);
  add(3, "new", absl::Hours(13));
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_THAT(TextOf(site.store.Download("shop").value()),
              Not(HasSubstr("old")));
  EXPECT_EQ(site.objects.Keys("shop/parts/").size(), 2u);
}

TEST(WorkerTest, ProfilesFromTheFutureAreOfTheTimeOfTheirUpload) {
  Site site;
  WorkerOptions options;
  options.policy.half_life = absl::Hours(1);
  Worker worker(site.store, site.bus, site.bus, std::move(options));
  site.Upload("shop", ProfileNumber(1, "v", Beginning() + absl::Hours(100)),
              IdOf(1));
  site.Upload("shop", ProfileNumber(2, "v", absl::FromUnixSeconds(4e9)),
              IdOf(2));
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_EQ(ReadCurrent(site.store, "shop").value().manifest->parts.size(), 1u);
}

// What was merged without decay is as old as the latest of it once there is
// some.
TEST(WorkerTest, DecayCanBeSetLater) {
  Site site;
  for (int i = 0; i < 4; ++i) {
    site.Upload("shop",
                ProfileNumber(i, "v", Beginning() + i * absl::Hours(20)),
                IdOf(i));
  }
  Worker before(site.store, site.bus, site.bus, {});
  ASSERT_EQ(before.Sweep(), absl::OkStatus());
  WorkerOptions options;
  options.policy.half_life = absl::Hours(1);
  site.Upload("shop", ProfileNumber(9, "v", Beginning() + absl::Hours(61)),
              IdOf(9));
  Worker worker(site.store, site.bus, site.bus, std::move(options));
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_EQ(ReadCurrent(site.store, "shop").value().manifest->parts.size(), 2u);
}

TEST(WorkerTest, MissingPartsAndManifestsAreToldAndGoneOnWithout) {
  for (const char* kind : {"shop/parts/", "shop/state/", "shop/base/"}) {
    Site site;
    site.Upload("shop", Plain(1), IdOf(1));
    site.Work(1, Calm);
    for (const std::string& key : site.objects.Keys(kind)) {
      ASSERT_EQ(site.objects.Delete(key), absl::OkStatus());
    }
    site.Upload("shop", Plain(2), IdOf(2));
    std::vector<std::string> told;
    WorkerOptions options;
    options.log = [&](const fleet::LogLine& line) {
      told.push_back(line.text());
    };
    options.warn = options.log;
    Worker worker(site.store, site.bus, site.bus, std::move(options));
    EXPECT_EQ(worker.Sweep(), absl::OkStatus()) << kind;
    const auto base = site.store.Download("shop");
    ASSERT_TRUE(base.ok()) << kind << base.status();
    EXPECT_TRUE(DecodePprof(*base).ok());
    if (std::string(kind) != "shop/base/") {
      EXPECT_THAT(told, Contains(HasSubstr("pgo_base_damaged"))) << kind;
    }
  }
}

}  // namespace
}  // namespace wallprof::pgo
