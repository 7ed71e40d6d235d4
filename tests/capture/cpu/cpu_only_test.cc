// The mode that measures CPU time alone, by what profiles of it say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "profiler/capture/engine.h"
#include "profiler/threads/task_directory.h"
#include "tests/capture/collected.h"
#include "tests/capture/cpu/computing.h"
#include "wallprof/merge.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {
namespace {

using ::testing::HasSubstr;

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

// Ticks are one a second.
TEST(CpuOnlyTest, AMeasurementIsOfTheTimeAfterItWasAskedFor) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  ShortPart(15'000'000);  // which fills no buffer
  std::atomic<bool> asked{false};
  std::thread later([&] {
    asked.wait(false);
    poll(nullptr, 0, 50);
    LongPart(50'000'000);
  });
  asked = true;
  asked.notify_all();
  const Collected collected = profiling.Collect(absl::Milliseconds(400));
  later.join();
  EXPECT_EQ(collected.Sum(Collected::Frame("ShortPart(")).samples, 0)
      << collected.Text();
  EXPECT_GT(collected.Sum(Collected::Frame("LongPart(")).cpu_ns, 40'000'000)
      << collected.Text();
}

// A measurement does not wait for them.
TEST(CpuOnlyTest, MeasurementsAreAsLongAsAsked) {
  Profiling profiling(CpuOnly(99));
  for (int i = 0; i < 3; ++i) {
    const auto profile = profiling->Collect(absl::Milliseconds(20));
    ASSERT_TRUE(profile.ok());
    EXPECT_GE(profile->duration, absl::Milliseconds(20));
    EXPECT_LT(profile->duration, absl::Milliseconds(200));
  }
}

TEST(CpuOnlyTest, WhoeverStartsItMayStartThreadsAtOnce) {
  for (int i = 0; i < 5; ++i) {
    Profiling profiling(CpuOnly());
    std::thread([] { LongPart(20'000'000); }).join();
    const Collected collected(*profiling->Snapshot());
    if (profiling->Stats().source != "perf-events") GTEST_SKIP() << "none here";
    EXPECT_GE(collected.Sum(Collected::Frame("LongPart(")).samples, 10) << i;
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

TEST(CpuOnlyTest, FunctionsShareAsTheyUseCpuTime) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  std::thread working([] {
    NameThread("working");
    for (int i = 0; i < 15; ++i) {
      LongPart(15'000'000);
      ShortPart(5'000'000);
    }
  });
  working.join();
  const Collected collected(*profiling->Snapshot());
  const auto all = collected.Sum(Collected::Thread("working")).samples;
  const auto in_long = collected.Sum(Collected::Frame("LongPart(")).samples;
  EXPECT_NEAR(static_cast<double>(in_long) / static_cast<double>(all), 0.75,
              0.07)
      << collected.Text();
}

// By then there is nothing to ask any more.
TEST(CpuOnlyTest, ThreadsThatHaveEndedHaveTheirNamesAndTime) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  for (const char* name : {"first", "second", "third"}) {
    std::thread([name] {
      NameThread(name);
      LongPart(50'000'000);
    }).join();
  }
  const Collected collected(*profiling->Snapshot());
  for (const char* name : {"first", "second", "third"}) {
    EXPECT_NEAR(
        static_cast<double>(collected.Sum(Collected::Thread(name)).cpu_ns),
        50e6, 10e6)
        << collected.Text();
  }
}

TEST(CpuOnlyTest, AThreadThatHasAChildsNumberHasItsOwnName) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  bool had = false;
  std::thread([&] {
    NameThread("before");
    const pid_t child = fork();
    if (child == 0) _exit(0);
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    NameThread("after");
    profiling.Collect(absl::Milliseconds(1));  // whatever CPU's buffer has it
    had = RunOnThread(child, [] { LongPart(50'000'000); });
  }).join();
  if (!had) GTEST_SKIP() << "threads' numbers are not ours to choose";
  const Collected collected(*profiling->Snapshot());
  EXPECT_GT(collected.Sum(Collected::Thread("after")).cpu_ns, 40'000'000)
      << collected.Text();
}

TEST(CpuOnlyTest, AThreadThatHasTheNumberOfOneOfOursIsSampled) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  std::atomic<pid_t> own{0};
  ASSERT_TRUE(profiling
                  ->RunPrivately("own",
                                 [&] {
                                   own = threads::OwnTid();
                                   own.notify_all();
                                 })
                  .ok());
  own.wait(0);
  while (syscall(SYS_tgkill, getpid(), own.load(), 0) == 0) poll(nullptr, 0, 1);
  profiling.Collect(absl::Milliseconds(1));
  if (!RunOnThread(own, [] { LongPart(50'000'000); })) {
    GTEST_SKIP() << "threads' numbers are not ours to choose";
  }
  const Collected collected(*profiling->Snapshot());
  EXPECT_GT(collected.Sum(Collected::Frame("LongPart(")).cpu_ns, 40'000'000)
      << collected.Text();
}

// Nothing is looked at, nobody is signalled.
TEST(CpuOnlyTest, ThreadsThatWaitAreLeftAlone) {
  constexpr int kThreads = 50;
  std::atomic<int> interrupted{0};
  std::atomic<int> waiting{0};
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      NameThread("waiting");
      ++waiting;
      if (poll(nullptr, 0, 400) != 0) ++interrupted;
    });
  }
  while (waiting < kThreads) poll(nullptr, 0, 1);
  const Statistics before = profiling->Stats();
  const Collected collected = profiling.Collect(absl::Milliseconds(200));
  const Statistics after = profiling->Stats();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(interrupted, 0);
  EXPECT_EQ(after.unchanged, 0);
  EXPECT_EQ(after.interrupts, 0);
  EXPECT_EQ(after.eintr_delivered, before.eintr_delivered);
  EXPECT_LE(collected.Sum(Collected::Thread("waiting")).samples, 5)
      << collected.Text();
}

TEST(CpuOnlyTest, ThreadsAreListedWithoutStacks) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  Computing computing("computing");
  poll(nullptr, 0, 50);
  bool listed = false;
  for (const ThreadInfo& thread : profiling->Threads()) {
    EXPECT_TRUE(thread.stack.empty());
    if (thread.name != "computing") continue;
    listed = true;
    EXPECT_EQ(thread.state, "running");
    EXPECT_GT(thread.cpu_time, absl::ZeroDuration());
  }
  EXPECT_TRUE(listed);
}

TEST(CpuOnlyTest, SamplesThatFindTheBufferFullAreCounted) {
  Profiling profiling(CpuOnly());
  if (!HasPerfEvents(*profiling)) GTEST_SKIP() << "no perf events here";
  const Collected before(*profiling->Snapshot());
  Engine::BeforeFork();  // keeps the sampler from reading
  int64_t used_ns = 0;
  std::atomic<bool> filled{false};
  std::thread filling([&] {
    LongPart(400'000'000);
    filled = true;
    filled.notify_all();
    LongPart(100'000'000);
    used_ns = CpuNs(CLOCK_THREAD_CPUTIME_ID);
  });
  filled.wait(false);
  Engine::AfterForkInParent();
  filling.join();
  const Collected after(*profiling->Snapshot());
  EXPECT_GT(profiling->Stats().lost.dropped, 0);
  const auto all = [](const Collected& collected) {
    return collected.Sum(Collected::All()).cpu_ns;
  };
  const int64_t dropped_ns =
      after.Sum(Collected::Frame("[not sampled]")).cpu_ns;
  EXPECT_GT(dropped_ns, 100'000'000) << after.Text();
  EXPECT_NEAR(static_cast<double>(all(after) - all(before)),
              static_cast<double>(used_ns), static_cast<double>(used_ns) * 0.15)
      << after.Text();
}

TEST(CpuOnlyTest, AChildOfAForkIsNotItsParent) {
  Profiling profiling(CpuOnly());
  EXPECT_EQ(StatusOfChild([&] {
              LongPart(100'000'000);
              const auto none = profiling->Collect(absl::Milliseconds(1));
              return absl::IsFailedPrecondition(none.status()) ? 0 : 1;
            }),
            0);
  const Collected collected(*profiling->Snapshot());
  EXPECT_EQ(collected.Sum(Collected::Frame("LongPart(")).samples, 0)
      << collected.Text();
}

TEST(CpuOnlyTest, AChildMayBeProfiledAnew) {
  Options options = CpuOnly();
  options.restart_in_child = true;
  Profiling profiling(options);
  Computing computing("computing");
  EXPECT_EQ(StatusOfChild([&] {
              profiling.Collect(absl::Milliseconds(1));
              LongPart(100'000'000);
              const Collected collected(*profiling->Snapshot());
              const auto own = collected.Sum(Collected::Frame("LongPart("));
              const auto others = collected.Sum(Collected::Thread("computing"));
              if (own.cpu_ns > 70'000'000 && others.samples == 0) return 0;
              fprintf(stderr, "%s", collected.Text().c_str());
              return 1;
            }),
            0);
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
