// What no event tells of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/base/manifest.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/pgo/names.h"
#include "tests/fleet/pgo/base/simulated.h"

namespace wallprof::pgo {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kId = 1'767'100'000'000'000'001;

class SweepTest : public testing::Test {
 protected:
  void SetUp() override {
    site_.Upload("shop", ProfileNumber(1, "v", Beginning()), kId);
    site_.Work(1, [] { return WorkerOptions(); });
    base_ = site_.store.Download("shop").value();
  }

  absl::Status Sweep() {
    Worker worker(site_.store, site_.bus, site_.bus, {});
    return worker.Sweep();
  }

  CurrentBase Current() { return ReadCurrent(site_.store, "shop").value(); }

  // As if all that is known had been seen so long ago.
  void Age(absl::Duration age) {
    const CurrentBase current = Current();
    Manifest manifest = *current.manifest;
    for (MergedProfile& profile : manifest.merged) profile.seen -= age;
    Record record = current.record;
    record.manifest = NewKey("shop", kStates, current.revision);
    ASSERT_EQ(site_.objects.Put(record.manifest, EncodeManifest(manifest)),
              absl::OkStatus());
    ASSERT_TRUE(
        site_.versions.Replace("shop", current.revision, EncodeRecord(record))
            .ok());
  }

  Site site_;
  std::string base_;
};

TEST_F(SweepTest, RemovesWhatDeadWorkersWereMaking) {
  const uint64_t revision = Current().revision;
  const std::string before = NewKey("shop", kParts, revision - 1);
  const std::string young = NewKey("shop", kBases, revision);
  const std::string old = NewKey("shop", kParts, revision);
  for (const std::string& key : {before, young, old}) {
    ASSERT_EQ(site_.objects.Put(key, "x"), absl::OkStatus());
  }
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_THAT(site_.objects.Keys(), Not(Contains(before)));
  EXPECT_THAT(site_.objects.Keys(), Contains(young)) << "may be in the making";
  EXPECT_EQ(Current().revision, revision);
  site_.objects.SetModified(old, absl::Now() - absl::Hours(2));
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_NE(Current().revision, revision) << "whoever made it begins again";
  EXPECT_EQ(site_.objects.Keys("shop/").size(), 4u);
  EXPECT_EQ(site_.store.Download("shop").value(), base_);
}

TEST_F(SweepTest, LeavesWhatOthersKeepBeside) {
  for (const char* key :
       {"shop/note", "shop/staging/readme", "shop/staging/007",
        "shop/parts/mine", "UPPER/staging/1", "plain"}) {
    ASSERT_EQ(site_.objects.Put(key, "x"), absl::OkStatus());
    site_.objects.SetModified(key, absl::Now() - absl::Hours(20));
  }
  const size_t before = site_.objects.Keys().size();
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_EQ(site_.objects.Keys().size(), before);
}

TEST_F(SweepTest, RepairsTheCopy) {
  std::string other = base_;
  other.back() ^= 1;
  ASSERT_EQ(site_.objects.Put("shop/default.pgo", other), absl::OkStatus());
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_EQ(site_.objects.Get("shop/default.pgo", kAny).value(), base_);
  ASSERT_EQ(site_.objects.Delete("shop/default.pgo"), absl::OkStatus());
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_EQ(site_.objects.Get("shop/default.pgo", kAny).value(), base_);
}

// A worker that dies between making the copy and looking again leaves one of a
// base that was deleted meanwhile.
TEST_F(SweepTest, CopyOfADeletedBaseIsNotAdopted) {
  ASSERT_EQ(site_.store.Delete("shop"), absl::OkStatus());
  ASSERT_EQ(site_.objects.Put("shop/default.pgo", base_), absl::OkStatus());
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(site_.store.Download("shop").status()));
  EXPECT_THAT(site_.objects.Keys(), IsEmpty());
}

TEST_F(SweepTest, ForgetsIdsAnHourAfterTheirObjectsAreGone) {
  Age(absl::Minutes(50));
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_NE(Current().manifest->Find(kId), nullptr);
  Age(absl::Minutes(20));
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_EQ(Current().manifest->Find(kId), nullptr);
  EXPECT_EQ(site_.store.Download("shop").value(), base_);
}

TEST_F(SweepTest, RemembersIdsWhoseObjectsAreThere) {
  ASSERT_TRUE(
      site_.store.Stage("shop", ProfileNumber(1, "v", Beginning()), kId).ok());
  const int published = site_.bus.published(kMerged);
  Age(absl::Hours(5));
  ASSERT_EQ(Sweep(), absl::OkStatus());
  const MergedProfile* profile = Current().manifest->Find(kId);
  ASSERT_NE(profile, nullptr);
  EXPECT_LT(absl::Now() - profile->seen, absl::Minutes(1));
  EXPECT_EQ(site_.store.Download("shop").value(), base_) << "not once more";
  // That it is merged is told again once events had time enough to come.
  Age(absl::Minutes(10));
  ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_GT(site_.bus.published(kMerged), published);
}

// Whoever deleted it died before the end: its record goes with the last id.
TEST_F(SweepTest, ForgetsWhatWasDeleted) {
  const CurrentBase current = Current();
  Record record;
  record.manifest = NewKey("shop", kStates, current.revision);
  Manifest none;
  none.merged = {{kId, absl::Now() - absl::Hours(2)}};
  ASSERT_EQ(site_.objects.Put(record.manifest, EncodeManifest(none)),
            absl::OkStatus());
  ASSERT_TRUE(
      site_.versions.Replace("shop", current.revision, EncodeRecord(record))
          .ok());
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Sweep(), absl::OkStatus());
  EXPECT_THAT(site_.objects.Keys(), IsEmpty());
  EXPECT_EQ(site_.versions.Get("shop").value().record, "");
}

TEST_F(SweepTest, OneThatFailsKeepsNoOther) {
  site_.Upload("web", ProfileNumber(2, "v", Beginning()), kId + 1);
  site_.Upload("api", ProfileNumber(3, "v", Beginning()), kId + 2);
  site_.versions.SetFault([](std::string_view, std::string_view app, bool) {
    return app == "shop" ? absl::UnavailableError("not this one")
                         : absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsUnavailable(Sweep()));
  EXPECT_TRUE(site_.store.Download("web").ok());
  EXPECT_TRUE(site_.store.Download("api").ok());
}

}  // namespace
}  // namespace wallprof::pgo
