#include "profiler/profile/saturating.h"

#include <gtest/gtest.h>

namespace wallprof {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(SaturatingTest, AddStopsAtTheEnds) {
  EXPECT_EQ(SaturatingAdd(2, -5), -3);
  EXPECT_EQ(SaturatingAdd(kMax, 1), kMax);
  EXPECT_EQ(SaturatingAdd(kMin, -1), kMin);
}

TEST(SaturatingTest, SubtractStopsAtTheEnds) {
  EXPECT_EQ(SaturatingSubtract(2, 5), -3);
  EXPECT_EQ(SaturatingSubtract(0, kMin), kMax);
  EXPECT_EQ(SaturatingSubtract(kMin, 1), kMin);
}

TEST(SaturatingTest, ScaleRoundsHalfAwayFromZero) {
  EXPECT_EQ(SaturatingScale(5, 0.5), 3);
  EXPECT_EQ(SaturatingScale(-5, 0.5), -3);
  EXPECT_EQ(SaturatingScale(4, 0.3), 1);
}

TEST(SaturatingTest, ScaleByOneIsExact) {
  EXPECT_EQ(SaturatingScale(kMax - 1, 1), kMax - 1);
}

TEST(SaturatingTest, ScaleStopsAtTheEnds) {
  EXPECT_EQ(SaturatingScale(kMax, 2), kMax);
  EXPECT_EQ(SaturatingScale(kMax, -2), kMin);
}

}  // namespace
}  // namespace wallprof
