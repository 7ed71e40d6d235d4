#include "profiler/profile/top_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/profile/stack_profile.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

std::vector<std::string> Rows(const TopFunctions& top) {
  std::vector<std::string> rows;
  for (const FunctionWeight& f : top.functions) {
    rows.push_back(absl::StrCat(f.name, " ", f.self, " ", f.total));
  }
  return rows;
}

Profile Gprof() {
  return WallProfile({{{"main", "slow", "recv"}, {60, 0, 600}},
                      {{"main", "spin"}, {30, 300, 300}},
                      {{"main", "weird", "nap"}, {10, 1, 100}}});
}

TEST(TopFunctionsTest, HeaviestSelfFirstThenTotal) {
  TopFunctions top = ComputeTopFunctions(Gprof(), View::kWall);
  EXPECT_THAT(Rows(top),
              ElementsAre("recv 600 600", "spin 300 300", "nap 100 100",
                          "main 0 1000", "slow 0 600", "weird 0 100"));
  EXPECT_EQ(top.total, 1000);
  EXPECT_EQ(top.type, (ValueType{"wall", "nanoseconds"}));
}

TEST(TopFunctionsTest, ViewDecidesWhatIsWeighed) {
  EXPECT_THAT(
      Rows(ComputeTopFunctions(Gprof(), View::kCpu)),
      ElementsAre("spin 300 300", "nap 1 1", "main 0 301", "weird 0 1"));
  EXPECT_THAT(Rows(ComputeTopFunctions(Gprof(), View::kOffCpu)),
              ElementsAre("recv 600 600", "nap 99 99", "main 0 699",
                          "slow 0 600", "weird 0 99"));
}

TEST(TopFunctionsTest, RecursionCountsOnce) {
  Profile profile = WallProfile({{{"f", "g", "f"}, {1, 0, 10}}});
  EXPECT_THAT(Rows(ComputeTopFunctions(profile, View::kWall)),
              ElementsAre("f 10 10", "g 0 10"));
}

TEST(TopFunctionsTest, DifferencesAreOrderedByMagnitude) {
  Profile profile =
      WallProfile({{{"less"}, {1, 0, -30}}, {{"more"}, {1, 0, 20}}});
  TopFunctions top = ComputeTopFunctions(profile, View::kWall);
  EXPECT_THAT(Rows(top), ElementsAre("less -30 -30", "more 20 20"));
  EXPECT_EQ(top.total, 50);
}

TEST(TopFunctionsTest, EmptyProfileHasNone) {
  TopFunctions top = ComputeTopFunctions(Profile(), View::kWall);
  EXPECT_EQ(top.total, 0);
  EXPECT_TRUE(top.functions.empty());
}

}  // namespace
}  // namespace wallprof
