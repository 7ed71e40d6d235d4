#include "fleet/collector/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/fleet/collector/memory_store.h"

namespace wallprof::collector {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Ge;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

int64_t SumOf(const std::vector<int64_t>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), int64_t{0});
}

TEST(AllocateTest, ThereIsAPlaceForEachWhereThereIsRoom) {
  EXPECT_THAT(Allocate({3, 2}, 5, 1), ElementsAre(3, 2));
  const std::vector<int64_t> places = Allocate({1000, 1, 1}, 10, 1);
  EXPECT_THAT(places, ElementsAre(8, 1, 1));
}

TEST(AllocateTest, SharesAreInProportion) {
  const std::vector<int64_t> places = Allocate({600, 300, 100}, 100, 7);
  EXPECT_EQ(SumOf(places), 100);
  EXPECT_NEAR(places[0], 60, 2);
  EXPECT_NEAR(places[1], 30, 2);
  EXPECT_NEAR(places[2], 10, 2);
}

TEST(AllocateTest, OfTooManySomeAreDrawn) {
  const std::vector<int64_t> counts(100, 5);
  const std::vector<int64_t> places = Allocate(counts, 10, 1);
  EXPECT_EQ(SumOf(places), 10);
  EXPECT_THAT(places, Each(testing::AnyOf(0, 1)));
  EXPECT_NE(places, Allocate(counts, 10, 2));
}

TEST(AllocateTest, NeverMoreThanThereAre) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<int64_t> counts = {1, 2, static_cast<int64_t>(seed), 40};
    for (const int64_t most : {1, 3, 17, 42}) {
      const std::vector<int64_t> places = Allocate(counts, most, seed);
      EXPECT_EQ(SumOf(places), std::min(most, SumOf(counts)));
      for (size_t i = 0; i < counts.size(); ++i) {
        EXPECT_LE(places[i], counts[i]);
      }
    }
  }
}

class ChooseTest : public testing::Test {
 protected:
  void Add(const std::string& host, int profiles) {
    for (int i = 0; i < profiles; ++i) {
      store::NewProfile profile;
      profile.info.series = {"shop", "wall", {{"host", host}}};
      profile.info.created_at = kStart + absl::Seconds(i);
      profile.info.id = store::MakeProfileId(profile.info.created_at, host);
      EXPECT_TRUE(store_.Add(profile).ok());
    }
  }

  MemoryStore store_;
};

TEST_F(ChooseTest, AllWhereThereIsRoom) {
  Add("a", 5);
  const auto chosen = Choose(store_, {}, 5, [] { return false; });
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ(chosen->entries.size(), 5u);
  EXPECT_EQ(chosen->matching, 5);
}

TEST_F(ChooseTest, EverySeriesHasItsShareAllOverTheTime) {
  Add("a", 900);
  Add("b", 90);
  Add("c", 1);
  const auto chosen = Choose(store_, {}, 100, [] { return false; });
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ(chosen->matching, 991);
  ASSERT_EQ(chosen->entries.size(), 100u);
  std::map<std::string, int> by_host;
  std::map<int64_t, int> by_tenth;
  absl::Time before = absl::InfinitePast();
  for (const store::IndexEntry& entry : chosen->entries) {
    const std::string& host = entry.info.series.labels[0].second;
    ++by_host[host];
    if (host == "a") {
      ++by_tenth[absl::ToInt64Seconds(entry.info.created_at - kStart) / 90];
    }
    EXPECT_GE(entry.info.created_at, before);
    before = entry.info.created_at;
  }
  EXPECT_NEAR(by_host["a"], 90, 2);
  EXPECT_NEAR(by_host["b"], 9, 2);
  EXPECT_EQ(by_host["c"], 1);
  for (int64_t tenth = 0; tenth < 10; ++tenth) {
    EXPECT_NEAR(by_tenth[tenth], 9, 1) << tenth;
  }
}

TEST_F(ChooseTest, EndsWhenTheClientLeaves) {
  Add("a", 3000);
  EXPECT_TRUE(
      absl::IsCancelled(Choose(store_, {}, 10, [] { return true; }).status()));
}

}  // namespace
}  // namespace wallprof::collector
