#include "fleet/agent/schedule.h"

#include <gtest/gtest.h>

namespace wallprof::agent {
namespace {

Schedule WithRandom(absl::Duration interval, double random) {
  return Schedule(interval, [random] { return random; });
}

TEST(ScheduleTest, BeginsAfterOneToNineSeconds) {
  EXPECT_EQ(WithRandom(absl::Minutes(1), 0).First(), absl::Seconds(1));
  EXPECT_GT(WithRandom(absl::Minutes(1), 0.999).First(), absl::Seconds(8.9));
  EXPECT_LT(WithRandom(absl::Minutes(1), 0.999).First(), absl::Seconds(9));
  EXPECT_LT(WithRandom(absl::Seconds(1), 0.999).First(),
            absl::Milliseconds(150));
}

TEST(ScheduleTest, IsTheIntervalOnAverageAndNeverInStep) {
  EXPECT_EQ(WithRandom(absl::Minutes(1), 0).Next(), absl::Seconds(54));
  EXPECT_EQ(WithRandom(absl::Minutes(1), 0.5).Next(), absl::Minutes(1));
  const Schedule schedule(absl::Minutes(1), NewRandom());
  absl::Duration total;
  int different = 0;
  for (int i = 0; i < 10'000; ++i) {
    const absl::Duration next = schedule.Next();
    ASSERT_GE(next, absl::Seconds(54));
    ASSERT_LE(next, absl::Seconds(66));
    different += next != absl::Minutes(1) ? 1 : 0;
    total += next;
  }
  EXPECT_GT(different, 9'900);
  // The mean of so many is within five of its standard deviations.
  EXPECT_GT(total / 10'000, absl::Seconds(59.8));
  EXPECT_LT(total / 10'000, absl::Seconds(60.2));
}

}  // namespace
}  // namespace wallprof::agent
