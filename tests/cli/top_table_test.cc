#include "cli/top_table.h"

#include <gtest/gtest.h>

namespace wallprof::cli {
namespace {

TEST(TopTableTest, TimesAreShownInTheLargestFittingUnit) {
  TopFunctions top;
  top.type = {"wall", "nanoseconds"};
  top.total = 3'000'000'000;
  top.functions = {{"a", 1'500'000'000, 3'000'000'000},
                   {"b", 2'500'000, 12'340'000},
                   {"c", 1'500, 999},
                   {"d", -1, -2'000'000'000}};
  EXPECT_EQ(TopTable(top, 20),
            "wall: 3.00s in all\n"
            "      self   self%      total  total%  function\n"
            "     1.50s  50.00%      3.00s 100.00%  a\n"
            "    2.50ms   0.08%    12.34ms   0.41%  b\n"
            "    1.50us   0.00%      999ns   0.00%  c\n"
            "      -1ns  -0.00%     -2.00s -66.67%  d\n");
}

TEST(TopTableTest, OtherUnitsAreShownAsTheyAre) {
  TopFunctions top;
  top.type = {"space", "bytes"};
  top.total = 4096;
  top.functions = {{"f", 4096, 4096}, {"g", 0, 4096}};
  EXPECT_EQ(TopTable(top, 1),
            "space: 4096 bytes in all\n"
            "      self   self%      total  total%  function\n"
            "      4096 100.00%       4096 100.00%  f\n"
            "and 1 more\n");
}

TEST(TopTableTest, LossesAreSaidInALine) {
  Profile profile;
  profile.comments = {"wallprof: 99 ticks, 99.00 Hz, 0.010 ms late on average"};
  EXPECT_EQ(LossLine(profile), "");
  profile.comments.push_back("wallprof: lost truncated 3");
  profile.comments.push_back("somebody else's");
  profile.comments.push_back("wallprof: lost masked 10");
  EXPECT_EQ(LossLine(profile), "lost: truncated 3, masked 10\n");
}

TEST(TopTableTest, EmptyProfileHasAHeader) {
  TopFunctions top;
  top.type = {"wall", "nanoseconds"};
  EXPECT_EQ(TopTable(top, 20),
            "wall: 0 in all\n"
            "      self   self%      total  total%  function\n");
}

}  // namespace
}  // namespace wallprof::cli
