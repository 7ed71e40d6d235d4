// The store that several collectors share, and what goes wrong on the way to
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "fleet/files/files.h"
#include "fleet/store/kept_profiles.h"
#include "fleet/store/profile_store.h"
#include "fleet/store/shared/object_segments.h"
#include "fleet/store/shared/postgres_index.h"
#include "tests/fleet/store/index_conformance.h"
#include "tests/fleet/store/profile_store_conformance.h"
#include "tests/fleet/store/sample_profiles.h"
#include "tests/fleet/store/segments_conformance.h"
#include "tests/fleet/store/shared/servers.h"

namespace wallprof::store::shared {
namespace {

using ::testing::HasSubstr;

class SharedPlace : public StorePlace {
 public:
  absl::StatusOr<std::unique_ptr<ProfileStore>> Open(
      StoreOptions options) override {
    options.index = index_;
    options.blobs = objects_.through_faults;
    return OpenProfileStore(options);
  }

  const std::string& index() const { return index_; }
  const std::string& objects() const { return objects_.straight; }

 private:
  const std::string index_ = FreshPostgresUrl();
  const ObjectUrls objects_ = FreshObjectUrls();
};

std::unique_ptr<StorePlace> NewSharedPlace() {
  return std::make_unique<SharedPlace>();
}

INSTANTIATE_TEST_SUITE_P(Shared, ProfileStoreConformance,
                         testing::Values(&NewSharedPlace));

class SharedIndexPlace : public IndexPlace {
 public:
  absl::StatusOr<std::unique_ptr<Index>> Open() override {
    return MakePostgresIndex(url_);
  }

 private:
  const std::string url_ = FreshPostgresUrl();
};

std::unique_ptr<IndexPlace> NewSharedIndexPlace() {
  return std::make_unique<SharedIndexPlace>();
}

INSTANTIATE_TEST_SUITE_P(Shared, IndexConformance,
                         testing::Values(&NewSharedIndexPlace));

class SharedSegmentsPlace : public SegmentsPlace {
 public:
  absl::StatusOr<std::unique_ptr<Segments>> Open() override {
    return MakeObjectSegments(url_);
  }

 private:
  const std::string url_ = FreshObjectUrls().straight;
};

std::unique_ptr<SegmentsPlace> NewSharedSegmentsPlace() {
  return std::make_unique<SharedSegmentsPlace>();
}

INSTANTIATE_TEST_SUITE_P(Shared, SegmentsConformance,
                         testing::Values(&NewSharedSegmentsPlace));

// Several collectors, each with threads that send.
class SharedStoreTest : public ::testing::Test {
 protected:
  ~SharedStoreTest() override { ScriptFaults(""); }

  std::unique_ptr<ProfileStore> Open() {
    auto store = place_.Open({});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  // Sends profiles 0 to `profiles` to each of `stores` by three threads each,
  // all of which send all. While they do, `meanwhile` is called over and over.
  // A profile that is refused is sent again, as agents do.
  template <typename Meanwhile>
  void SendToAll(std::vector<std::unique_ptr<ProfileStore>>& stores,
                 int profiles, Meanwhile meanwhile) {
    std::vector<std::thread> threads;
    std::atomic<int> left{0};
    for (const auto& store : stores) {
      for (int t = 0; t < 3; ++t) {
        ++left;
        threads.emplace_back([&, t] {
          for (int i = 0; i < profiles; ++i) {
            Send(*store, (i * 7 + t * 13) % profiles);
          }
          --left;
        });
      }
    }
    while (left > 0) {
      meanwhile();
      absl::SleepFor(absl::Milliseconds(20));
    }
    for (std::thread& thread : threads) thread.join();
  }

  void Send(ProfileStore& store, int number) {
    const std::string message = SampleMessage(number, 20'000);
    for (int attempt = 0; attempt < 10; ++attempt) {
      const absl::StatusOr<bool> is_new =
          store.Add({SampleInfo(number), message, ""});
      if (is_new.ok()) {
        if (*is_new) ++new_;
        return;
      }
      EXPECT_TRUE(absl::IsUnavailable(is_new.status())) << is_new.status();
      ++refused_;
    }
    ADD_FAILURE() << "profile " << number << " was refused ten times";
  }

  // Everything is there once, and can be read, by whoever comes.
  void ExpectAllThere(int profiles) {
    const auto store = Open();
    const std::vector<IndexEntry> found = FindAll(*store);
    ASSERT_EQ(found.size(), static_cast<size_t>(profiles));
    std::map<std::string, int> numbers;
    for (int i = 0; i < profiles; ++i) numbers[SampleInfo(i).id] = i;
    std::map<std::string, int64_t> in_segments;
    for (const IndexEntry& entry : found) {
      const auto number = numbers.extract(entry.info.id);
      ASSERT_FALSE(number.empty()) << "twice, or another's";
      const auto message = store->Read(entry);
      ASSERT_TRUE(message.ok()) << message.status();
      EXPECT_TRUE(*message == SampleMessage(number.mapped(), 20'000));
      ++in_segments[entry.place.segment];
    }
    const auto index = MakePostgresIndex(place_.index());
    ASSERT_TRUE(index.ok()) << index.status();
    const auto listed = (*index)->ListSegments().value();
    for (const SegmentUse& use : listed) {
      EXPECT_EQ(use.profiles, in_segments[use.segment]) << use.segment;
    }
  }

  SharedPlace place_;
  std::atomic<int> new_{0};
  std::atomic<int> refused_{0};
};

TEST_F(SharedStoreTest, TheSameProfilesThroughTwoCollectors) {
  std::vector<std::unique_ptr<ProfileStore>> stores;
  for (int i = 0; i < 2; ++i) stores.push_back(Open());
  SendToAll(stores, 60, [] {});
  EXPECT_EQ(new_, 60) << "each is new once";
  EXPECT_EQ(refused_, 0);
  ExpectAllThere(60);
}

TEST_F(SharedStoreTest, WhileOneKeepsHouse) {
  std::vector<std::unique_ptr<ProfileStore>> stores;
  for (int i = 0; i < 2; ++i) stores.push_back(Open());
  SendToAll(stores, 60, [&] {
    for (const auto& store : stores) {
      const absl::Status kept = store->KeepHouse();
      EXPECT_TRUE(kept.ok()) << kept;
    }
  });
  EXPECT_EQ(new_, 60);
  ExpectAllThere(60);
}

// Two that both take themselves for the one that keeps house, as after a long
// pause, pack and remove while others add and read.
TEST_F(SharedStoreTest, WhileTwoPack) {
  std::vector<std::unique_ptr<ProfileStore>> stores;
  for (int i = 0; i < 2; ++i) {
    auto index = MakePostgresIndex(place_.index());
    auto segments = MakeObjectSegments(place_.objects());
    ASSERT_TRUE(index.ok() && segments.ok());
    KeepingOptions options;
    options.house.now = absl::Now;
    options.packing.min_group_bytes = 0;
    options.keeps_house_every = absl::ZeroDuration();
    stores.push_back(std::make_unique<KeptProfiles>(
        fleet::File(), std::move(*index), std::move(*segments), options));
  }
  int rounds = 0;
  SendToAll(stores, 60, [&] {
    AskPostgres(place_.index(),
                "UPDATE wallprof_store SET lead_until = '-infinity'");
    std::vector<std::thread> threads;
    for (const auto& store : stores) {
      threads.emplace_back([&] {
        const absl::Status kept = store->KeepHouse();
        EXPECT_TRUE(kept.ok()) << kept;
      });
    }
    for (const IndexEntry& entry : FindAll(*stores[rounds++ % 2])) {
      const auto message = stores[rounds % 2]->Read(entry);
      EXPECT_TRUE(message.ok()) << message.status();
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(new_, 60);
  for (const auto& store : stores) {
    AskPostgres(place_.index(),
                "UPDATE wallprof_store SET lead_until = '-infinity'");
    ASSERT_TRUE(store->KeepHouse().ok());
  }
  int64_t packed = 0;
  const auto entries = FindAll(*stores[0]);
  for (const IndexEntry& entry : entries) {
    packed += entry.place.segment.ends_with(".packed") ? 1 : 0;
  }
  EXPECT_EQ(packed, 60);
  ExpectAllThere(60);
}

TEST_F(SharedStoreTest, WhileRequestsFail) {
  std::vector<std::unique_ptr<ProfileStore>> stores;
  for (int i = 0; i < 2; ++i) stores.push_back(Open());
  SendToAll(stores, 40, [] {
    ScriptFaults("ok drop-after 503 ok drop-before ok late drop-after");
  });
  EXPECT_EQ(new_, 40);
  EXPECT_EQ(refused_, 0) << "each fault passes";
  ScriptFaults("half 503 drop-before half");
  ExpectAllThere(40);
}

TEST_F(SharedStoreTest, WhilePostgresEndsAndComesBack) {
  std::vector<std::unique_ptr<ProfileStore>> stores;
  for (int i = 0; i < 2; ++i) stores.push_back(Open());
  int kills = 0;
  SendToAll(stores, 90, [&] {
    if (new_ > 30 * (kills + 1) && kills < 2) {
      KillPostgres();
      ++kills;
    }
  });
  EXPECT_EQ(kills, 2);
  EXPECT_EQ(new_, 90) << "also those whose answer was lost";
  ExpectAllThere(90);
}

TEST_F(SharedStoreTest, AFreshObjectIsNotTakenForALeftover) {
  const auto segments = MakeObjectSegments(place_.objects());
  ASSERT_TRUE(segments.ok()) << segments.status();
  // As of a collector that is about to enter it.
  const auto written = (*segments)->Write({"record"}, SegmentKind::kReceived);
  ASSERT_TRUE(written.ok()) << written.status();
  ASSERT_TRUE(Open()->KeepHouse().ok());
  EXPECT_EQ((*segments)->Read((*written)[0]).value_or("gone"), "record");
}

TEST_F(SharedStoreTest, ObjectsThatAreGoneAreSaidToBe) {
  const auto store = Open();
  Send(*store, 1);
  const std::vector<IndexEntry> found = FindAll(*store);
  const auto segments = MakeObjectSegments(place_.objects());
  ASSERT_TRUE((*segments)->Delete(found.at(0).place.segment).ok());
  EXPECT_TRUE(absl::IsDataLoss(store->Read(found[0]).status()));
}

TEST_F(SharedStoreTest, BothUrlsAreNeeded) {
  StoreOptions options;
  options.index = place_.index();
  const absl::Status no_blobs = OpenProfileStore(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(no_blobs));
  EXPECT_THAT(std::string(no_blobs.message()), HasSubstr("blobs: "));
  options.blobs = place_.objects();
  options.index.clear();
  const absl::Status no_index = OpenProfileStore(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(no_index));
  EXPECT_THAT(std::string(no_index.message()), HasSubstr("index: "));
}

}  // namespace
}  // namespace wallprof::store::shared
