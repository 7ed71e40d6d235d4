// What bases are made of.
#include "fleet/pgo/base/merging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/pgo/names.h"
#include "fleet/pgo/profile/accept.h"
#include "tests/fleet/pgo/base/simulated.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

WorkerOptions Calm() { return {}; }

int64_t IdOf(int i) {
  return absl::ToUnixNanos(Beginning() + absl::Hours(100)) + i;
}

std::string Plain(int i) { return ProfileNumber(i, "v1", Beginning()); }

TEST(MergingTest, BaseOfAnotherProgramIsAdopted) {
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

TEST(MergingTest, AdoptedBaseMayHaveMoreInItThanAProfile) {
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

TEST(MergingTest, BaseThatCannotBeAdoptedIsPutAside) {
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

TEST(MergingTest, PartsAreReadOnceAndKnownToWhoWroteThem) {
  Site site;
  Worker worker(site.store, site.bus, site.bus, Calm());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(site.store.Stage("shop", Plain(i), IdOf(i)).ok());
    ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  }
  int read = 0;
  site.objects.SetFault([&](std::string_view call, std::string_view key, bool) {
    read += call == "Get" && key.find("/parts/") != std::string_view::npos;
    return absl::OkStatus();
  });
  ASSERT_TRUE(site.store.Stage("shop", Plain(6), IdOf(6)).ok());
  ASSERT_EQ(worker.Sweep(), absl::OkStatus());
  EXPECT_EQ(read, 0);
  Worker other(site.store, site.bus, site.bus, Calm());
  ASSERT_TRUE(site.store.Stage("shop", Plain(7), IdOf(7)).ok());
  ASSERT_EQ(other.Sweep(), absl::OkStatus());
  EXPECT_EQ(read, 1);
}

TEST(MergingTest, RulesCanBeSetLater) {
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

TEST(MergingTest, OldProfilesFadeAndGo) {
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

TEST(MergingTest, ProfilesFromTheFutureAreOfTheTimeOfTheirUpload) {
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
TEST(MergingTest, DecayCanBeSetLater) {
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

TEST(MergingTest, MissingPartsAndManifestsAreToldAndGoneOnWithout) {
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
