// Measurements: their length, rate and end; and what the process notices of
// them.
#include "profiler/capture/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/capture/collected.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// --- collecting --------------------------------------------------------------

TEST(CollectTest, LastsAsLongAsAskedAndSaysHowLong) {
  Profiling profiling;
  const auto before = std::chrono::steady_clock::now();
  const absl::StatusOr<Profile> profile =
      profiling->Collect(absl::Milliseconds(300));
  const auto took = std::chrono::steady_clock::now() - before;
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
  EXPECT_GE(profile->duration, absl::Milliseconds(300));
  // The window starts at a tick that has been, up to a period before.
  EXPECT_GE(took, std::chrono::milliseconds(270));
  EXPECT_EQ(profile->default_sample_type, "wall");
  EXPECT_GT(profile->time, absl::Now() - absl::Minutes(5));
  EXPECT_LT(profile->time, absl::Now());
  ASSERT_FALSE(profile->comments.empty());
  EXPECT_THAT(profile->comments[0], HasSubstr(" Hz, "));
}

TEST(CollectTest, EveryThreadHasTheWholeWindow) {
  Profiling profiling;
  NameThread("collector");
  std::atomic<uint32_t> go_on{0};
  std::thread waiting([&] {
    NameThread("waiting");
    go_on.wait(0);
  });
  profiling.Collect(absl::Milliseconds(50));  // both are known then
  const absl::StatusOr<Profile> profile =
      profiling->Collect(absl::Milliseconds(300));
  ASSERT_TRUE(profile.ok());
  const Collected collected(*profile);
  for (const char* thread : {"collector", "waiting"}) {
    EXPECT_EQ(collected.Sum(Collected::Thread(thread)).wall_ns,
              absl::ToInt64Nanoseconds(profile->duration))
        << thread << "\n"
        << collected.Text();
  }
  go_on = 1;
  go_on.notify_all();
  waiting.join();
}

TEST(CollectTest, BadArgumentsAreRefused) {
  Profiling profiling;
  const auto bad = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(profiling->Collect(absl::ZeroDuration()).status().code(), bad);
  EXPECT_EQ(profiling->Collect(-absl::Seconds(1)).status().code(), bad);
  CollectOptions how;
  for (const int hz : {-1, 1001}) {
    how.frequency_hz = hz;
    EXPECT_EQ(profiling->Collect(absl::Seconds(1), how).status().code(), bad);
  }
}

TEST(CollectTest, EndsEarlyWhenNobodyWantsIt) {
  Profiling profiling;
  std::atomic<bool> unwanted{false};
  std::thread client([&] {
    usleep(200'000);
    unwanted = true;
  });
  CollectOptions how;
  how.cancelled = [&] { return unwanted.load(); };
  EXPECT_EQ(profiling->Collect(absl::Hours(1), how).status().code(),
            absl::StatusCode::kCancelled);
  client.join();
  EXPECT_TRUE(profiling->Collect(absl::Milliseconds(20)).ok());
}

TEST(CollectTest, EndsWithWhatThereIsWhenThatIsEnough) {
  Profiling profiling;
  const absl::Time begin = absl::Now();
  CollectOptions how;
  how.enough = [&] { return absl::Now() - begin > absl::Milliseconds(300); };
  const absl::StatusOr<Profile> profile =
      profiling->Collect(absl::Hours(1), how);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_FALSE(profile->samples.empty());
  EXPECT_GE(profile->duration, absl::Milliseconds(200));
  EXPECT_LT(profile->duration, absl::Minutes(1));
}

TEST(CollectTest, ShowsTheRateThatItAskedFor) {
  Profiling profiling;
  CollectOptions how;
  how.frequency_hz = 1000;
  const absl::StatusOr<Profile> fast =
      profiling->Collect(absl::Seconds(1), how);
  const absl::StatusOr<Profile> slow = profiling->Collect(absl::Seconds(1));
  ASSERT_TRUE(fast.ok() && slow.ok());
  EXPECT_GE(fast->period, 1'000'000 * 0.9) << "never faster";
  EXPECT_GE(slow->period, 10'101'010 * 0.9);
  EXPECT_LT(fast->period, slow->period);
}

TEST(CollectTest, ManyAtOnceShareTheFastestRate) {
  Profiling profiling;
  EXPECT_EQ(profiling->Stats().frequency_hz, 99);
  std::atomic<int> running{0};
  std::vector<std::thread> clients;
  for (const int hz : {0, 200, 500, 50}) {
    clients.emplace_back([&, hz] {
      CollectOptions how;
      how.frequency_hz = hz;
      ++running;
      const auto profile = profiling->Collect(absl::Milliseconds(600), how);
      ASSERT_TRUE(profile.ok()) << profile.status();
      EXPECT_GE(profile->duration, absl::Milliseconds(600));
      EXPECT_GT(Collected(*profile).Sum(Collected::All()).wall_ns, 0);
    });
  }
  while (running < 4) usleep(1000);
  usleep(200'000);
  EXPECT_EQ(profiling->Stats().frequency_hz, 500);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(profiling->Stats().frequency_hz, 99) << "as before";
}

TEST(SnapshotTest, IsEverythingSinceTheStart) {
  Profiling profiling;
  absl::StatusOr<Profile> early = profiling->Snapshot();
  ASSERT_TRUE(early.ok());
  EXPECT_EQ(CheckValid(*early), absl::OkStatus());
  EXPECT_GE(early->duration, absl::ZeroDuration());
  EXPECT_GE(early->period, 0);
  usleep(300'000);
  const absl::StatusOr<Profile> late = profiling->Snapshot();
  ASSERT_TRUE(late.ok());
  EXPECT_GT(late->duration, absl::Milliseconds(100));
  EXPECT_GT(Collected(*late).Sum(Collected::All()).wall_ns, 100'000'000);
}

// --- the end -----------------------------------------------------------------

TEST(StopTest, EndsMeasurementsThatAreUnderWay) {
  for (int i = 0; i < 10; ++i) {
    Profiling profiling;
    std::atomic<int> started{0}, cancelled{0};
    std::vector<std::thread> clients;
    for (int n = 0; n < 4; ++n) {
      clients.emplace_back([&] {
        Profiler& profiler = *profiling;
        ++started;
        const absl::Status status = profiler.Collect(absl::Hours(1)).status();
        cancelled += status.code() == absl::StatusCode::kCancelled ? 1 : 0;
      });
    }
    while (started < 4) usleep(100);
    usleep(20'000);
    profiling.Stop();
    for (std::thread& client : clients) client.join();
    ASSERT_EQ(cancelled, 4);
  }
}

TEST(StopTest, DoesNotWaitForASlowTick) {
  Options options;
  options.frequency_hz = 1;
  Profiling profiling(options);
  usleep(50'000);
  const auto before = std::chrono::steady_clock::now();
  profiling.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before,
            std::chrono::milliseconds(500));
}

TEST(StopTest, WaitsForWhatRunsPrivately) {
  std::atomic<bool> ended{false};
  {
    Profiling profiling;
    ASSERT_TRUE(profiling
                    ->RunPrivately("private",
                                   [&] {
                                     usleep(100'000);
                                     ended = true;
                                   })
                    .ok());
  }
  EXPECT_TRUE(ended);
}

// --- what the process sees ---------------------------------------------------

std::set<std::string> Descriptors() {
  std::set<std::string> found;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    found.insert(entry.path().filename());
  }
  return found;
}

TEST(PrivacyTest, NoDescriptorOfTheProfilersIsTheProgramsToo) {
  const std::set<std::string> before = Descriptors();
  Profiling profiling;
  std::atomic<bool> done{false};
  ASSERT_TRUE(profiling
                  ->RunPrivately("private",
                                 [&] {
                                   for (int i = 0; i < 10; ++i) dup(0);
                                   while (!done) usleep(1000);
                                 })
                  .ok());
  profiling.Collect(absl::Milliseconds(200));
  EXPECT_EQ(Descriptors(), before);
  done = true;
}

TEST(PrivacyTest, WhatRunsUnsampledHasTheProgramsDescriptors) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Profiling profiling;
  std::atomic<bool> done{false};
  ASSERT_TRUE(profiling
                  ->RunUnsampled("unsampled",
                                 [&] {
                                   EXPECT_EQ(write(ends[1], "x", 1), 1);
                                   while (!done) usleep(1000);
                                 })
                  .ok());
  const Collected collected = profiling.Collect(absl::Milliseconds(200));
  EXPECT_EQ(collected.Sum(Collected::Thread("unsampled")).samples, 0);
  done = true;
  char byte;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  close(ends[1]);
}

TEST(PrivacyTest, ClosedOutputEndsForItsReader) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Profiling profiling;
  profiling.Collect(absl::Milliseconds(50));
  close(ends[1]);
  pollfd end = {ends[0], POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, 10'000), 1);
  EXPECT_TRUE(end.revents & POLLHUP);
  close(ends[0]);
}

TEST(PrivacyTest, OwnThreadsAreNotProfiled) {
  Profiling profiling;
  std::atomic<bool> done{false};
  for (const char* name : {"wallprof-one", "wallprof-two"}) {
    ASSERT_TRUE(profiling
                    ->RunPrivately(name,
                                   [&] {
                                     while (!done) usleep(100);
                                   })
                    .ok());
  }
  // Long enough for the check of the CPU clock, which has threads too.
  const Collected collected = profiling.Collect(absl::Milliseconds(1000));
  for (const NamedSample& sample : collected.samples()) {
    EXPECT_THAT(sample.label("thread"), Not(HasSubstr("wallprof")));
  }
  for (const ThreadInfo& thread : profiling->Threads()) {
    EXPECT_THAT(thread.name, Not(HasSubstr("wallprof")));
  }
  EXPECT_EQ(profiling->Stats().threads, 1);
  done = true;
}

TEST(PrivacyTest, PrivateThreadsStartPrivateThreads) {
  Profiling profiling;
  std::atomic<bool> inner_ran{false};
  ASSERT_TRUE(
      profiling
          ->RunPrivately(
              "outer",
              [&] {
                EXPECT_TRUE(
                    profiling->RunPrivately("inner", [&] { inner_ran = true; })
                        .ok());
              })
          .ok());
  while (!inner_ran) usleep(100);
}

TEST(StatsTest, TellWhatWasDone) {
  Profiling profiling;
  std::atomic<bool> done{false};
  std::thread computing([&] { Compute([&] { return done.load(); }); });
  std::thread napping([&] {
    while (!done) usleep(2000);
  });
  profiling.Collect(absl::Milliseconds(700));
  const Statistics stats = profiling->Stats();
  done = true;
  computing.join();
  napping.join();
  EXPECT_EQ(stats.frequency_hz, 99);
  EXPECT_GT(stats.ticks, 10);
  EXPECT_GT(stats.achieved_hz, 5);
  EXPECT_LT(stats.achieved_hz, 110);
  EXPECT_EQ(stats.threads, 3);
  EXPECT_GT(stats.cpu_time, absl::ZeroDuration());
  EXPECT_GT(stats.memory_bytes, 1 << 20);
  EXPECT_LT(stats.memory_bytes, 64 << 20);
  EXPECT_GT(stats.unchanged, 0) << "the main thread waited throughout";
  EXPECT_GT(stats.walks, 0);
#ifndef __SANITIZE_THREAD__  // which calls handlers later
  EXPECT_GT(stats.interrupts, 0);
#endif
}

}  // namespace
}  // namespace wallprof::capture
