#include "fleet/pgo/base/base_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/base/manifest.h"
#include "fleet/pgo/names.h"
#include "tests/fleet/pgo/base/simulated.h"

namespace wallprof::pgo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

WorkerOptions Calm() { return {}; }

std::string Profile(int i) { return ProfileNumber(i, "v", Beginning()); }

TEST(BaseStoreTest, StagesUnderTimesThatNeverMeet) {
  Site site;
  std::mutex mutex;
  std::set<std::string> keys;
  std::vector<std::thread> threads;
  const int64_t before = absl::ToUnixNanos(absl::Now());
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto key = site.store.Stage("shop", "x");
        ASSERT_TRUE(key.ok()) << key.status();
        const std::lock_guard<std::mutex> lock(mutex);
        keys.insert(*key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(keys.size(), 2000u);
  for (const std::string& key : keys) {
    const auto name = ParseStagingKey(key);
    ASSERT_TRUE(name.has_value()) << key;
    EXPECT_LT(
        absl::AbsDuration(absl::Nanoseconds(name->unix_nanoseconds - before)),
        absl::Minutes(1));
  }
}

TEST(BaseStoreTest, StagesUnderTheSendersNumber) {
  Site site;
  EXPECT_EQ(site.store.Stage("shop", "x", 17).value(), "shop/staging/17");
  EXPECT_EQ(site.store.Stage("shop", "x", 17).value(), "shop/staging/17");
  EXPECT_TRUE(
      absl::IsInvalidArgument(site.store.Stage("shop", "x", -1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(site.store.Stage("a/b", "x").status()));
}

TEST(BaseStoreTest, NothingIsThereWithoutABase) {
  Site site;
  ASSERT_TRUE(site.store.Stage("shop", Profile(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(site.store.Download("shop").status()));
  EXPECT_TRUE(absl::IsNotFound(site.store.Describe("shop").status()));
  EXPECT_THAT(site.store.List().value(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(site.store.Delete("web")));
  for (const char* app : {"", "../x", "A"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(site.store.Download(app).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(site.store.Describe(app).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(site.store.Delete(app)));
  }
}

TEST(BaseStoreTest, DeletesAllThatIsThere) {
  Site site;
  site.Upload("shop", Profile(1), 1'767'100'000'000'000'001);
  site.Upload("shop", "poison", 1'767'100'000'000'000'002);
  site.Upload("shop-2", Profile(2), 1'767'100'000'000'000'003);
  site.Work(1, Calm);
  ASSERT_TRUE(site.store.Stage("shop", Profile(3)).ok());
  ASSERT_EQ(site.objects.Put("shop/note", "of the operator"), absl::OkStatus());
  EXPECT_EQ(site.store.Delete("shop"), absl::OkStatus());
  EXPECT_THAT(site.objects.Keys("shop/"), IsEmpty());
  EXPECT_EQ(site.versions.Get("shop").value().record, "");
  EXPECT_EQ(site.objects.Keys("shop-2/").size(), 4u);
  EXPECT_TRUE(absl::IsNotFound(site.store.Download("shop").status()));
  EXPECT_TRUE(absl::IsNotFound(site.store.Delete("shop"))) << "again";
  // A new base begins, and the old one does not come back.
  site.Upload("shop", Profile(4), 1'767'100'000'000'000'004);
  site.Work(1, Calm);
  EXPECT_EQ(ReadCurrent(site.store, "shop").value().manifest->merged.size(),
            1u);
}

TEST(BaseStoreTest, DeletesWhatIsOnlyStaged) {
  Site site;
  ASSERT_TRUE(site.store.Stage("shop", Profile(1)).ok());
  EXPECT_EQ(site.store.Delete("shop"), absl::OkStatus());
  EXPECT_THAT(site.objects.Keys(), IsEmpty());
}

// Whoever deletes may die at any step: nothing that was there counts any more
// once the record is replaced, and another try finishes it.
TEST(BaseStoreTest, DeletionThatStopsInTheMiddle) {
  for (int step = 0; step < 30; ++step) {
    SCOPED_TRACE(step);
    Site site;
    site.Upload("shop", Profile(1), 1'767'100'000'000'000'001);
    site.Work(1, Calm);
    ASSERT_TRUE(site.store.Stage("shop", Profile(2)).ok());
    int calls = 0;
    bool replaced = false;
    const Fault stops = [&](std::string_view call, std::string_view,
                            bool done) {
      if (calls > step) return absl::PermissionDeniedError("dead");
      if (!done && ++calls > step) return absl::PermissionDeniedError("dead");
      replaced |= call == "Replace" && done;
      return absl::OkStatus();
    };
    site.objects.SetFault(stops);
    site.versions.SetFault(stops);
    const absl::Status stopped = site.store.Delete("shop");
    site.objects.SetFault({});
    site.versions.SetFault({});
    Worker worker(site.store, site.bus, site.bus, Calm());
    EXPECT_EQ(worker.Sweep(), absl::OkStatus());
    EXPECT_EQ(site.store.Download("shop").ok(), !replaced)
        << "what was deleted came back, or was gone before";
    if (stopped.ok()) {
      EXPECT_THAT(site.objects.Keys(), IsEmpty());
      return;
    }
    const absl::Status again = site.store.Delete("shop");
    EXPECT_TRUE(again.ok() || absl::IsNotFound(again)) << again;
    EXPECT_THAT(site.objects.Keys(), IsEmpty());
  }
  FAIL() << "it takes more steps than are tried";
}

TEST(BaseStoreTest, BaseThatMovesOnWhileItIsRead) {
  Site site;
  site.Upload("shop", Profile(1), 1'767'100'000'000'000'001);
  site.Work(1, Calm);
  bool once = true;
  site.objects.SetFault([&](std::string_view call, std::string_view key, bool) {
    if (call != "Get" || key.find("/base/") == std::string_view::npos ||
        !once) {
      return absl::OkStatus();
    }
    once = false;
    site.Upload("shop", Profile(2), 1'767'100'000'000'000'002);
    Worker worker(site.store, site.bus, site.bus, Calm());
    EXPECT_EQ(worker.Sweep(), absl::OkStatus());
    return absl::OkStatus();
  });
  EXPECT_TRUE(site.store.Download("shop").ok());
  EXPECT_FALSE(once);
  site.objects.SetFault({});
  ASSERT_EQ(site.objects.Delete(site.objects.Keys("shop/base/").at(0)),
            absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(site.store.Download("shop").status()));
}

TEST(BaseStoreTest, DamagedRecordsHideNoOthers) {
  Site site;
  site.Upload("shop", Profile(1), 1'767'100'000'000'000'001);
  site.Work(1, Calm);
  ASSERT_TRUE(site.versions.Replace("web", 0, "{").ok());
  EXPECT_EQ(site.store.List().value().size(), 1u);
  EXPECT_TRUE(absl::IsDataLoss(site.store.Describe("web").status()));
  EXPECT_TRUE(absl::IsDataLoss(site.store.Download("web").status()));
  // It can be got rid of, and begun anew.
  site.Upload("web", Profile(2), 1'767'100'000'000'000'002);
  site.Work(1, Calm);
  EXPECT_TRUE(site.store.Download("web").ok());
}

TEST(ManifestTest, IsReadAsItWasWritten) {
  Manifest manifest;
  manifest.base = "shop/base/1-a";
  manifest.parts.push_back({"v\"1", absl::Hours(3), 42, Beginning(),
                            Beginning() + absl::Nanoseconds(5), 7,
                            "shop/parts/1-b", 99});
  manifest.versions["v\"1"] = Beginning();
  manifest.merged = {{5, Beginning()}, {6, Beginning() + absl::Seconds(1)}};
  const Manifest read = DecodeManifest(EncodeManifest(manifest)).value();
  EXPECT_EQ(EncodeManifest(read), EncodeManifest(manifest));
  EXPECT_EQ(read.parts[0].version, "v\"1");
  EXPECT_EQ(read.parts[0].length, absl::Hours(3));
  EXPECT_EQ(read.parts[0].last, Beginning() + absl::Nanoseconds(5));
  EXPECT_NE(read.Find(6), nullptr);
  EXPECT_EQ(read.Find(7), nullptr);
  EXPECT_TRUE(read.Needs("shop/parts/1-b"));
  EXPECT_FALSE(read.Needs("shop/parts/1-c"));
}

TEST(ManifestTest, DamageIsSaid) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"base":1,"parts":[],"versions":[]})",
        R"({"base":"","parts":[1],"versions":[],"merged":[]})",
        R"({"base":"","parts":[],"versions":[["a"]],"merged":[]})",
        R"({"base":"","parts":[],"versions":[],"merged":[["x",1]]})"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeManifest(text).status())) << text;
    EXPECT_TRUE(absl::IsDataLoss(DecodeRecord(text).status())) << text;
  }
}

TEST(RevisionTest, IsInTheKey) {
  EXPECT_EQ(RevisionOf(NewKey("shop", kParts, 12)), 12u);
  EXPECT_NE(NewKey("shop", kParts, 12), NewKey("shop", kParts, 12));
  for (const char* key : {"shop/staging/12", "shop/parts/12", "shop/parts/x-1",
                          "shop/default.pgo", "parts/12-1", "a/b/parts/1-2"}) {
    EXPECT_FALSE(RevisionOf(key).has_value()) << key;
  }
}

}  // namespace
}  // namespace wallprof::pgo
