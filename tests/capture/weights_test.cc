// Simulations of whole threads in made-up time: the weights that looks add up
// to, against how long the threads lived and where they were.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "profiler/capture/accountant.h"
#include "profiler/capture/tick_schedule.h"

namespace wallprof::capture {
namespace {

constexpr int kHz = 100;
constexpr int64_t kPeriod = 10'000'000;

using stacks::Counts;
using stacks::EntryId;
using stacks::Frame;
using stacks::SampleKey;

// The accounts of a recording, and ticks at made-up times.
class Simulation {
 public:
  explicit Simulation(double phase) : schedule_(0, kHz, phase) {}

  // A thread that lives from `born` to `dies` and stands at `place_at(time)`,
  // one of a few blocked places.
  void Live(int64_t born, int64_t dies,
            const std::function<int(int64_t)>& place_at) {
    ObservedThread thread;
    thread.record = recording_->AddThread(1, "simulated");
    bool met = false;
    int64_t previous = 0;
    for (int64_t now = schedule_.Next(0); previous < dies;
         previous = now, now = schedule_.Next(now)) {
      if (now < born) continue;
      if (now >= dies) {
        if (met) accountant_.End(thread, now);
        return;
      }
      if (!met) thread.last_look_ns = previous;
      met = true;
      SampleKey key{StackOf(place_at(now)), thread.record};
      accountant_.MoveTo(thread, accountant_.EntryOf(key), now);
    }
  }

  // Wall time of all places, or of one.
  int64_t WallOf(int place = -1) {
    int64_t total = 0;
    const stacks::StackTable& table = recording_->table();
    for (uint32_t i = 0; i < table.entry_count(); ++i) {
      SampleKey key;
      Counts counts;
      if (!table.Read(EntryId{i}, key, counts)) continue;
      if (place < 0 || key.stack == StackOf(place)) total += counts.wall_ns;
    }
    return total;
  }

 private:
  stacks::StackId StackOf(int place) {
    const Frame frame = Frame::Code(1, static_cast<uint64_t>(place));
    return recording_->table().Intern({&frame, 1});
  }

  std::unique_ptr<stacks::Recording> recording_ =
      stacks::Recording::Allocate(stacks::Recording::kMinBytes).value();
  Accountant accountant_{*recording_};
  TickSchedule schedule_;
};

// Many threads of one lifetime, born at any time.
double AccountedShare(double periods) {
  constexpr int kThreads = 4000;
  const auto lifetime = static_cast<int64_t>(periods * kPeriod);
  std::minstd_rand random(7);
  int64_t accounted = 0;
  for (int i = 0; i < kThreads; ++i) {
    Simulation simulation(static_cast<double>(random() % 1000) / 1000);
    const int64_t born =
        5 * kPeriod + static_cast<int64_t>(random() % (10 * kPeriod));
    simulation.Live(born, born + lifetime, [](int64_t) { return 0; });
    accounted += simulation.WallOf();
  }
  return static_cast<double>(accounted) / kThreads /
         static_cast<double>(lifetime);
}

TEST(WeightsTest, OfThreadsShorterThanAPeriodAreUnbiased) {
  EXPECT_NEAR(AccountedShare(0.3), 1, 0.06);
}

TEST(WeightsTest, OfThreadsOfOnePeriodAreUnbiased) {
  EXPECT_NEAR(AccountedShare(1), 1, 0.03);
}

TEST(WeightsTest, OfThreadsOfTwoPeriodsAreUnbiased) {
  EXPECT_NEAR(AccountedShare(2), 1, 0.02);
}

TEST(WeightsTest, OfALongThreadAreItsLifetime) {
  Simulation simulation(0.4);
  simulation.Live(0, 100 * kPeriod, [](int64_t) { return 0; });
  EXPECT_NEAR(static_cast<double>(simulation.WallOf()) / kPeriod, 100, 1.5);
}

// The share of the first of two places for a program that spends `first` of
// each cycle there.
double ShareOfFirst(double first, int64_t cycle, double phase) {
  Simulation simulation(phase);
  constexpr int64_t kLong = 3000 * kPeriod;
  simulation.Live(0, kLong, [&](int64_t now) {
    return static_cast<double>(now % cycle) < first * static_cast<double>(cycle)
               ? 0
               : 1;
  });
  return static_cast<double>(simulation.WallOf(0)) /
         static_cast<double>(simulation.WallOf());
}

TEST(WeightsTest, OfPeriodicWorkAreRight) {
  for (const double first : {0.1, 0.3, 0.5}) {
    for (const int64_t cycle :
         {2 * kPeriod, kPeriod / 3, kPeriod * 7 / 3, 13 * kPeriod}) {
      EXPECT_NEAR(ShareOfFirst(first, cycle, 0.123), first, 0.02)
          << first << " of " << cycle;
    }
  }
}

// Work of exactly one period meets every offset equally often, but the distance
// to the neighbouring ticks, and with it the weight, is a function of the
// offset: 1.118 periods in most places, 0.618 from 0.382 to 0.618.
TEST(WeightsTest, OfWorkInStepWithTheTicksAreWithinThatOfTheirDistances) {
  for (const double first : {0.1, 0.3, 0.5, 0.9}) {
    const double share = ShareOfFirst(first, kPeriod, 0.123);
    EXPECT_GT(share, first * 0.6) << first;
    EXPECT_LT(share, first * 1.13) << first;
  }
}

}  // namespace
}  // namespace wallprof::capture
