// Several workers, unruly engines, and what a single calm worker makes of the
// same profiles: the bytes are the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/names.h"
#include "tests/fleet/pgo/base/simulated.h"

namespace wallprof::pgo {
namespace {

using ::testing::ElementsAre;

constexpr int kProfiles = 60;

struct Upload {
  std::string bytes;
  int64_t id;
};

// Of three versions and twelve hours, so that decay and versions matter.
std::vector<Upload> Uploads() {
  static const std::vector<Upload>* const uploads = [] {
    auto* made = new std::vector<Upload>;
    for (int i = 0; i < kProfiles; ++i) {
      const absl::Time time = Beginning() + absl::Minutes(i * 737 % 720);
      made->push_back({ProfileNumber(i % 7, absl::StrCat("v", i % 3), time),
                       absl::ToUnixNanos(Beginning() + absl::Hours(13)) + i});
    }
    return made;
  }();
  return *uploads;
}

WorkerOptions Decaying(int batch) {
  WorkerOptions options;
  options.policy.half_life = absl::Hours(2);
  options.policy.old_version_weight = 0.5;
  options.batch = batch;
  return options;
}

std::string CalmBase() {
  static const std::string* const base = [] {
    Site site;
    for (const Upload& upload : Uploads()) {
      site.Upload("shop", upload.bytes, upload.id);
    }
    site.Work(1, [] { return Decaying(1000); });
    return new std::string(site.store.Download("shop").value());
  }();
  return *base;
}

// Every event twice, in any order, and some that came before their profile.
void UploadInAnyOrder(Site& site, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Upload> uploads = Uploads();
  std::vector<Event> events;
  for (const Upload& upload : uploads) {
    const auto key = site.store.Stage("shop", upload.bytes, upload.id);
    ASSERT_TRUE(key.ok()) << key.status();
    events.push_back(NewEvent(kUploaded, "shop", *key));
    events.push_back(events.back());
  }
  std::shuffle(events.begin(), events.end(), random);
  for (const Event& event : events) {
    ASSERT_EQ(site.bus.Publish(event), absl::OkStatus());
  }
}

// Nothing is left but what the base needs.
void ExpectTidy(Site& site) {
  Worker last(site.store, site.bus, site.bus, Decaying(1000));
  const auto before = site.versions.Get("shop").value();
  EXPECT_EQ(last.Sweep(), absl::OkStatus());
  EXPECT_EQ(site.versions.Get("shop").value().revision, before.revision)
      << "nothing to be done";
  const CurrentBase current = ReadCurrent(site.store, "shop").value();
  ASSERT_EQ(current.damage, absl::OkStatus());
  EXPECT_EQ(site.objects.Keys("shop/parts/").size(),
            current.manifest->parts.size());
  EXPECT_THAT(site.objects.Keys("shop/base/"),
              ElementsAre(current.record.base));
  EXPECT_THAT(site.objects.Keys("shop/state/"),
              ElementsAre(current.record.manifest));
  EXPECT_EQ(site.objects.Get("shop/default.pgo", kAny).value(),
            site.store.Download("shop").value());
  EXPECT_EQ(current.manifest->merged.size(), size_t{kProfiles});
}

// WALLPROF_TEST_RACES says how often engines are unruly; twice if it is not
// set.
class RaceTest : public testing::TestWithParam<int> {};

TEST_P(RaceTest, WorkersOfOneBase) {
  Site site;
  UploadInAnyOrder(site, 3);
  const WorkerCounts counts = site.Work(GetParam(), [] { return Decaying(5); });
  EXPECT_EQ(counts.merged, kProfiles) << "each once";
  EXPECT_GT(counts.duplicates, 0);
  EXPECT_EQ(counts.quarantined, 0);
  EXPECT_TRUE(site.store.Download("shop").value() == CalmBase());
  ExpectTidy(site);
}

TEST_P(RaceTest, EnginesThatFailLoseAndTakeTheirTime) {
  const char* races = getenv("WALLPROF_TEST_RACES");
  const unsigned seeds = races == nullptr ? 1 : std::atoi(races);
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    Site site;
    UploadInAnyOrder(site, seed);
    // Rarely enough that some tries get through: after each that does not the
    // worker waits longer.
    site.objects.SetFault(RandomFaults(seed, 250));
    site.versions.SetFault(RandomFaults(seed + 100, 20));
    site.bus.SetFault(RandomFaults(seed + 200, 60));
    site.Work(GetParam(), [] {
      WorkerOptions options = Decaying(20);
      options.sweep_period = absl::Milliseconds(200);
      return options;
    });
    site.objects.SetFault({});
    site.versions.SetFault({});
    site.bus.SetFault({});
    EXPECT_TRUE(site.store.Download("shop").value() == CalmBase());
    // What was left behind is swept, once the record has moved on.
    for (const std::string& key : site.objects.Keys("shop/")) {
      if (RevisionOf(key).has_value()) {
        site.objects.SetModified(key, absl::Now() - absl::Hours(2));
      }
    }
    Worker last(site.store, site.bus, site.bus, Decaying(1000));
    EXPECT_EQ(last.Sweep(), absl::OkStatus());
    ExpectTidy(site);
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, RaceTest, testing::Values(2, 4));

// Where the answer to the one call that counts is lost, it still counts once.
TEST(LostAnswerTest, OfEveryReplacement) {
  Site site;
  UploadInAnyOrder(site, 5);
  std::atomic<int> calls{0};
  site.versions.SetFault(
      [&](std::string_view call, std::string_view, bool done) {
        return call == "Replace" && done && ++calls % 2 == 1
                   ? absl::UnavailableError("no answer")
                   : absl::OkStatus();
      });
  const WorkerCounts counts = site.Work(2, [] { return Decaying(10); });
  // One that was built on before it was known to be there counts as lost.
  EXPECT_LE(counts.merged, kProfiles);
  EXPECT_EQ(ReadCurrent(site.store, "shop").value().manifest->merged.size(),
            size_t{kProfiles});
  EXPECT_TRUE(site.store.Download("shop").value() == CalmBase());
}

TEST(LostAnswerTest, ReplacementThatWasBuiltOn) {
  // The answer is lost, and before it is asked again another version is made
  // upon it: what it has made must not be removed.
  Site site;
  const std::vector<Upload> uploads = Uploads();
  site.Upload("shop", uploads[0].bytes, uploads[0].id);
  bool once = true;
  site.versions.SetFault(
      [&](std::string_view call, std::string_view, bool done) {
        if (call != "Replace" || !done || !once) return absl::OkStatus();
        once = false;
        site.Upload("shop", uploads[1].bytes, uploads[1].id);
        Worker other(site.store, site.bus, site.bus, Decaying(1000));
        EXPECT_EQ(other.Sweep(), absl::OkStatus());
        return absl::UnavailableError("no answer");
      });
  Worker worker(site.store, site.bus, site.bus, Decaying(1000));
  EXPECT_EQ(worker.Sweep(), absl::OkStatus());
  const CurrentBase current = ReadCurrent(site.store, "shop").value();
  EXPECT_EQ(current.manifest->merged.size(), 2u);
  for (const ManifestPart& part : current.manifest->parts) {
    EXPECT_TRUE(site.objects.Get(part.key, kAny).ok()) << part.key;
  }
  EXPECT_TRUE(site.store.Download("shop").ok());
}

// Profiles come, workers merge, the application is deleted now and then: what
// was deleted does not come back, what is uploaded afterwards is there.
TEST(DeleteTest, AmidMerging) {
  const std::vector<Upload> uploads = Uploads();
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE(seed);
    Site site;
    site.objects.SetFault([](std::string_view, std::string_view, bool) {
      absl::SleepFor(absl::Microseconds(100));
      return absl::OkStatus();
    });
    std::atomic<bool> deleted{false};
    std::thread admin([&] {
      std::mt19937 random(seed);
      for (int i = 0; i < 20; ++i) {
        site.Upload("shop", uploads[i].bytes, uploads[i].id);
      }
      absl::SleepFor(absl::Milliseconds(random() % 60));
      absl::Status status = site.store.Delete("shop");
      EXPECT_EQ(status, absl::OkStatus());
      EXPECT_EQ(site.bus.Publish(NewEvent(kDeleted, "shop")), absl::OkStatus());
      for (int i = 20; i < 30; ++i) {
        site.Upload("shop", uploads[i].bytes, uploads[i].id);
      }
      deleted = true;
    });
    site.Work(
        3, [] { return Decaying(4); }, [&] { return deleted.load(); });
    admin.join();
    Site other;
    for (int i = 20; i < 30; ++i) {
      other.Upload("shop", uploads[i].bytes, uploads[i].id);
    }
    other.Work(1, [] { return Decaying(100); });
    EXPECT_TRUE(site.store.Download("shop").value() ==
                other.store.Download("shop").value());
  }
}

}  // namespace
}  // namespace wallprof::pgo
