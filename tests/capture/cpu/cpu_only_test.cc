// The mode that measures CPU time alone, by what profiles of it say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <time.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/collected.h"
#include "wallprof/merge.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {
namespace {

using ::testing::HasSubstr;

Options CpuOnly(int frequency_hz = 999) {
  Options options;
  options.cpu_only = true;
  options.frequency_hz = frequency_hz;
  return options;
}

int64_t CpuNs(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

// A thread that computes for as long as it exists.
class Computing {
 public:
  explicit Computing(const std::string& name)
      : thread_([this, name] {
          NameThread(name);
          Compute([this] { return done_.load(); });
          cpu_ns_ = CpuNs(CLOCK_THREAD_CPUTIME_ID);
        }) {}
  ~Computing() { End(); }

  // Its CPU time.
  int64_t End() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    return cpu_ns_;
  }

 private:
  std::atomic<bool> done_{false};
  std::atomic<int64_t> cpu_ns_{0};
  std::thread thread_;
};

// True where the kernel lets this process have perf events.
bool HasPerfEvents(Profiler& profiler) {
  return profiler.Collect(absl::Milliseconds(1)).ok() &&
         profiler.Stats().source == "perf-events";
}

TEST(CpuOnlyTest, ProfilesHaveCpuTimeAndNothingElse) {
  Profiling profiling(CpuOnly());
  Computing computing("computing");
  const absl::StatusOr<Profile> profile =
      profiling->Collect(absl::Milliseconds(100));
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
  const ValueType cpu{"cpu", "nanoseconds"};
  EXPECT_EQ(profile->sample_types,
            (std::vector<ValueType>{{"samples", "count"}, cpu}));
  EXPECT_EQ(profile->default_sample_type, "cpu");
  EXPECT_EQ(profile->period_type, cpu);
  EXPECT_GE(profile->duration, absl::Milliseconds(100));
  EXPECT_THAT(profile->comments[0], HasSubstr("CPU time only"));
  for (const Sample& sample : profile->samples) EXPECT_GT(sample.values[1], 0);
  EXPECT_TRUE(SelectView(*profile, View::kCpu).ok());
  EXPECT_TRUE(profiling->Stats().cpu_only);
}

TEST(CpuOnlyTest, OtherViewsAreRefused) {
  Profiling profiling(CpuOnly());
  for (const View view : {View::kWall, View::kOffCpu, View::kBlockedBy}) {
    CollectOptions how;
    how.view = view;
    const auto collected = profiling->Collect(absl::Milliseconds(10), how);
    EXPECT_EQ(collected.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(collected.status().message()),
                HasSubstr(std::string(NameOfView(view))));
    EXPECT_EQ(profiling->Snapshot(view).status(), collected.status());
  }
  const auto views = profiling->CollectViews(absl::Milliseconds(10),
                                             {View::kWall, View::kCpu});
  ASSERT_EQ(views.size(), 2u);
  EXPECT_TRUE(absl::IsInvalidArgument(views[0].status()));
  EXPECT_TRUE(views[1].ok()) << views[1].status();
}

TEST(CpuOnlyTest, AMeasurementCannotHaveAHigherRate) {
  Profiling profiling(CpuOnly(99));
  CollectOptions how;
  how.frequency_hz = 100;
  EXPECT_TRUE(absl::IsInvalidArgument(
      profiling->Collect(absl::Milliseconds(10), how).status()));
  how.frequency_hz = 50;
  EXPECT_TRUE(profiling->Collect(absl::Milliseconds(10), how).ok());
}

TEST(CpuOnlyTest, WhatIsRecordedIsWallTime) {
  Options options = CpuOnly();
  options.record = true;
  EXPECT_TRUE(absl::IsInvalidArgument(options.Validate()));
}

// Ticks are four a second at this rate; a measurement does not wait for them.
TEST(CpuOnlyTest, MeasurementsAreAsLongAsAsked) {
  Profiling profiling(CpuOnly(99));
  for (int i = 0; i < 3; ++i) {
    const auto profile = profiling->Collect(absl::Milliseconds(20));
    ASSERT_TRUE(profile.ok());
    EXPECT_GE(profile->duration, absl::Milliseconds(20));
    EXPECT_LT(profile->duration, absl::Milliseconds(200));
  }
}

TEST(CpuOnlyTest, ABusyThreadHasASampleForEachPeriodOfItsCpuTime) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  Computing computing("computing");
  while (profiling->Snapshot()->samples.empty()) poll(nullptr, 0, 1);
  poll(nullptr, 0, 500);
  const int64_t cpu_ns = computing.End();
  const Collected collected(*profiling->Snapshot());
  const NamedSample sum = collected.Sum(Collected::Thread("computing"));
  const double expected = static_cast<double>(cpu_ns) * 999 / 1e9;
  EXPECT_NEAR(static_cast<double>(sum.samples), expected, expected * 0.1)
      << collected.Text();
  EXPECT_NEAR(static_cast<double>(sum.cpu_ns), static_cast<double>(cpu_ns),
              static_cast<double>(cpu_ns) * 0.1);
  const auto in_compute = [](const NamedSample& sample) {
    return sample.has("Compute(") && sample.label("thread") == "computing";
  };
  EXPECT_GT(collected.Sum(in_compute).samples, sum.samples * 9 / 10)
      << collected.Text();
}

// Whether or not there was a sample of it.
TEST(CpuOnlyTest, AllCpuTimeOfTheProcessIsInTheProfile) {
  Profiling profiling(CpuOnly(99));
  const Collected before(*profiling->Snapshot());
  const auto used_ns = [&] {
    return CpuNs(CLOCK_PROCESS_CPUTIME_ID) -
           absl::ToInt64Nanoseconds(profiling->Stats().cpu_time);
  };
  const int64_t start_ns = used_ns();
  {
    Computing first("first");
    Computing second("second");
    poll(nullptr, 0, 300);
  }
  // Too short for a sample of their own.
  for (int i = 0; i < 200; ++i) std::thread([] { NameThread("short"); }).join();
  const int64_t used = used_ns() - start_ns;
  const Collected after(*profiling->Snapshot());
  const auto all = [](const Collected& collected) {
    return collected.Sum(Collected::All()).cpu_ns;
  };
  // A period for each thread and CPU may be on its way to a sample, and names
  // take time that is neither ours nor yet accounted.
  EXPECT_NEAR(static_cast<double>(all(after) - all(before)),
              static_cast<double>(used), static_cast<double>(used) * 0.15)
      << after.Text();
}

}  // namespace
}  // namespace wallprof::capture
