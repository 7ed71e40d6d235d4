// Simulations: what a thread that sleeps and wakes now and then is said to have
// done, when it is looked at less often the longer it sleeps.
#include "profiler/capture/look_gap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace wallprof::capture {
namespace {

constexpr int64_t kPeriod = 10'000'000;

// A thread that sleeps for `sleep` and is awake, in one place, for `burst`, on
// and on. Looks have half the interval on both sides.
struct Cycle {
  int64_t sleep;
  int64_t burst;

  bool awake_at(int64_t time) const { return time % (sleep + burst) >= sleep; }
  // How often it has woken or gone to sleep.
  int64_t changes_at(int64_t time) const {
    return time / (sleep + burst) * 2 + (awake_at(time) ? 1 : 0);
  }
  double share() const {
    return static_cast<double>(burst) / static_cast<double>(sleep + burst);
  }
};

struct Outcome {
  double share = 0;  // of the burst
  double looks = 0;  // a tick
};

// `gap_after` tells how long a thread just looked at is left alone.
template <typename GapAfter>
Outcome Observe(const Cycle& cycle, GapAfter gap_after) {
  constexpr int64_t kTicks = 3'000'000;
  ObservedThread thread;
  thread.tid = 71;
  thread.settled = true;
  std::minstd_rand random(5);
  int64_t awake = 0, total = 0, looks = 0;
  int64_t last = 0, due = 0, seen = 0;
  bool was_awake = false;
  for (int64_t tick = 1; tick < kTicks; ++tick) {
    // Anywhere in its period.
    const int64_t now =
        tick * kPeriod + static_cast<int64_t>(random() % kPeriod);
    if (now < due) continue;
    ++looks;
    const bool is_awake = cycle.awake_at(now);
    const int64_t changes = cycle.changes_at(now);
    if (changes != seen) thread.moved_ns = now;
    seen = changes;
    const int64_t interval = now - last;
    awake += (was_awake ? interval / 2 : 0) + (is_awake ? interval / 2 : 0);
    total += interval;
    was_awake = is_awake;
    last = now;
    due = now + gap_after(thread, now);
  }
  return {static_cast<double>(awake) / static_cast<double>(total),
          static_cast<double>(looks) / kTicks};
}

constexpr int64_t kLongest = 250'000'000;
constexpr int64_t kSleep = 7301 * kPeriod / 10;

int64_t Gap(ObservedThread& thread, int64_t now) {
  return TakeGap(thread, now, kLongest);
}

TEST(LookGapTest, BurstsOfAnyLengthHaveTheirShare) {
  for (const int64_t tenths : {7, 20, 50, 100, 200, 250, 311, 500, 1000}) {
    const Cycle cycle{kSleep, tenths * kPeriod / 10};
    const Outcome outcome = Observe(cycle, Gap);
    EXPECT_NEAR(outcome.share / cycle.share(), 1, 0.08) << tenths;
  }
}

TEST(LookGapTest, FewLooksAreNeeded) {
  EXPECT_LT(Observe({kSleep, kPeriod}, Gap).looks, 0.3);
}

// Why a gap is decided one look ahead.
TEST(LookGapTest, ShorteningTheGapAtOnceWouldHalveShortBursts) {
  const Cycle cycle{kSleep, 2 * kPeriod};
  const Outcome outcome =
      Observe(cycle, [](ObservedThread& thread, int64_t now) {
        thread.next_gap_ns = 0;
        Gap(thread, now);
        return thread.next_gap_ns;
      });
  EXPECT_LT(outcome.share / cycle.share(), 0.75);
}

TEST(LookGapTest, AThreadThatKeepsRunningIsLookedAtInEveryTick) {
  ObservedThread thread;
  for (int64_t now = 0; now < 1000 * kPeriod; now += kPeriod) {
    thread.moved_ns = now;
    EXPECT_EQ(Gap(thread, now), 0);
  }
}

TEST(LookGapTest, AThreadThatWakesIsSoonLookedAtInEveryTick) {
  ObservedThread thread;
  thread.settled = true;
  thread.next_gap_ns = kLongest;
  int64_t now = 0;
  for (int64_t gap = kLongest; gap > 0; gap = Gap(thread, now)) {
    now += gap + kPeriod;
    thread.moved_ns = now;
  }
  EXPECT_LT(now, 2'000'000'000);
}

TEST(LookGapTest, GapsGrowWithTheSleepAndHaveALimit) {
  constexpr int64_t kSecond = 1'000'000'000;
  ObservedThread thread;
  thread.settled = true;
  Gap(thread, kSecond);
  const int64_t after_a_second = Gap(thread, kSecond);
  EXPECT_GT(after_a_second, kPeriod);
  EXPECT_LT(after_a_second, 4 * kPeriod);
  Gap(thread, 3600 * kSecond);
  const int64_t after_an_hour = Gap(thread, 3600 * kSecond);
  EXPECT_GE(after_an_hour, kLongest / 2);
  EXPECT_LE(after_an_hour, kLongest * 3 / 2);
}

TEST(LookGapTest, FewThreadsHaveNone) {
  EXPECT_LT(LongestGapNs(150), kPeriod);
  EXPECT_GT(LongestGapNs(3000), 5 * kPeriod);
  EXPECT_EQ(LongestGapNs(1'000'000), kLongest);
}

}  // namespace
}  // namespace wallprof::capture
