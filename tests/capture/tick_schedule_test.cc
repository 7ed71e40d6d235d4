#include "profiler/capture/tick_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace wallprof::capture {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr double kGolden = 0.6180339887498949;

// The first `count` ticks of a sampler that is never late.
std::vector<int64_t> Ticks(TickSchedule& schedule, int64_t now, int count) {
  std::vector<int64_t> ticks;
  for (int i = 0; i < count; ++i) ticks.push_back(now = schedule.Next(now));
  return ticks;
}

TEST(TickScheduleTest, EachPeriodHasOneTick) {
  for (const double phase : {0.0, 0.3, 0.999}) {
    for (const int hz : {1, 99, 100, 1000}) {
      TickSchedule schedule(kSecond, hz, phase);
      const std::vector<int64_t> ticks = Ticks(schedule, kSecond, 5000);
      for (size_t k = 0; k < ticks.size(); ++k) {
        const double period =
            static_cast<double>(ticks[k] - kSecond) * hz / 1e9;
        // The very first instant is not after the start, so it has no tick.
        ASSERT_EQ(std::floor(period + 1e-6), k + (phase == 0 ? 1 : 0))
            << hz << " Hz";
      }
    }
  }
}

TEST(TickScheduleTest, OffsetsFollowTheGoldenRatio) {
  const double phase = 0.25;
  TickSchedule schedule(0, 100, phase);
  const std::vector<int64_t> ticks = Ticks(schedule, 0, 1000);
  for (size_t k = 0; k < ticks.size(); ++k) {
    const double at = phase + static_cast<double>(k) * kGolden;
    const double expected =
        (static_cast<double>(k) + at - std::floor(at)) * 1e7;
    ASSERT_NEAR(static_cast<double>(ticks[k]), expected, 10);
  }
}

TEST(TickScheduleTest, OffsetsAreSpreadEvenly) {
  // Any n of them in a row leave no gap much wider than 1/n.
  TickSchedule schedule(0, 100, 0.7);
  const std::vector<int64_t> ticks = Ticks(schedule, 0, 1000);
  std::vector<double> offsets;
  for (size_t k = 500; k < 600; ++k) {
    const double period = static_cast<double>(ticks[k]) / 1e7;
    offsets.push_back(period - std::floor(period));
  }
  std::sort(offsets.begin(), offsets.end());
  double widest = offsets.front() + 1 - offsets.back();
  for (size_t i = 1; i < offsets.size(); ++i) {
    widest = std::max(widest, offsets[i] - offsets[i - 1]);
  }
  EXPECT_LT(widest, 0.03);
}

TEST(TickScheduleTest, PeriodicWorkIsNotMetInStep) {
  // Work of exactly one period, the first 30 % of which are of one kind.
  TickSchedule schedule(0, 99, 0.1);
  int first = 0;
  constexpr int kTicks = 1000;
  for (const int64_t tick : Ticks(schedule, 0, kTicks)) {
    const double period = static_cast<double>(tick) * 99 / 1e9;
    first += period - std::floor(period) < 0.3 ? 1 : 0;
  }
  EXPECT_NEAR(first, 0.3 * kTicks, 0.01 * kTicks);
}

TEST(TickScheduleTest, NextIsAlwaysLater) {
  TickSchedule schedule(0, 1000, 0.5);
  int64_t now = 0;
  for (int i = 0; i < 10'000; ++i) {
    // Sometimes late by part of a period, sometimes by several.
    now += (i % 7) * 300'000;
    const int64_t next = schedule.Next(now);
    ASSERT_GT(next, now);
    ASSERT_LE(next, now + 2'000'000);
    now = next;
  }
}

TEST(TickScheduleTest, MissedPeriodsAreSkipped) {
  TickSchedule schedule(0, 100, 0.5);
  EXPECT_LT(schedule.Next(0), 10'000'000);
  // Ten periods late: one tick follows, not ten.
  const int64_t now = 105'000'000;
  const int64_t next = schedule.Next(now);
  EXPECT_GT(next, now);
  EXPECT_LT(next, now + 20'000'000);
  EXPECT_GE(schedule.Next(next), (next / 10'000'000 + 1) * 10'000'000)
      << "and the next one in the period after";
}

TEST(TickScheduleTest, ChangedRateHoldsFromNowOn) {
  TickSchedule schedule(0, 100, 0.5);
  int64_t now = Ticks(schedule, 0, 50).back();
  schedule.SetFrequency(now, 1000);
  EXPECT_EQ(schedule.frequency_hz(), 1000);
  const std::vector<int64_t> fast = Ticks(schedule, now, 100);
  for (size_t k = 0; k < fast.size(); ++k) {
    ASSERT_EQ((fast[k] - now) / 1'000'000, static_cast<int64_t>(k));
  }
  now = fast.back();
  schedule.SetFrequency(now, 100);
  EXPECT_EQ((Ticks(schedule, now, 100).back() - now) / 10'000'000, 99);
}

TEST(TickScheduleTest, ChangedRateGoesOnWithTheOffsets) {
  TickSchedule schedule(0, 100, 0);
  const int64_t now = Ticks(schedule, 0, 20).back();
  schedule.SetFrequency(now, 100'000'000 / 1'000'000);
  TickSchedule undisturbed(0, 100, 0);
  Ticks(undisturbed, 0, 20);
  EXPECT_EQ(schedule.Next(now), undisturbed.Next(now)) << "the same rate";
  schedule.SetFrequency(now, 50);
  const double at = 22 * kGolden;  // of the tick that would have come next
  const double offset =
      static_cast<double>(schedule.Next(now) - now) * 50 / 1e9;
  EXPECT_NEAR(offset, at - std::floor(at), 1e-6);
}

TEST(TickScheduleTest, HoldsForYears) {
  TickSchedule schedule(0, 1000, 0.5);
  const int64_t year = 365 * 24 * 3600 * kSecond;
  int64_t now = 3 * year;
  for (int i = 0; i < 1000; ++i) {
    const int64_t next = schedule.Next(now);
    ASSERT_GT(next, now);
    ASSERT_LE(next - now, 2'000'000);
    now = next;
  }
}

}  // namespace
}  // namespace wallprof::capture
