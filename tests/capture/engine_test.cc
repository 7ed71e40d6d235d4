// One profiler a process, and forks.
#include "profiler/capture/engine.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/collected.h"
#include "wallprof/labels.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(EngineTest, AProcessHasOneProfiler) {
  const auto first = Profiler::Start();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Profiler::Start().status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_GT((*first)->Stats().frequency_hz, 0) << "the first one goes on";
}

TEST(EngineTest, AfterOneIsDestroyedAnotherMayStart) {
  for (int i = 0; i < 20; ++i) {
    auto profiler = Profiler::Start();
    ASSERT_TRUE(profiler.ok()) << profiler.status();
    if (i % 4 == 0) {
      EXPECT_TRUE((*profiler)->Collect(absl::Milliseconds(20)).ok());
    }
  }
}

TEST(EngineTest, OfManyStartsAtOnceOneSucceeds) {
  std::vector<std::thread> starters;
  std::atomic<int> started{0}, ended{0};
  constexpr int kStarters = 8;
  for (int i = 0; i < kStarters; ++i) {
    starters.emplace_back([&] {
      const auto profiler = Profiler::Start();
      started += profiler.ok() ? 1 : 0;
      ++ended;
      while (ended < kStarters) usleep(100);
    });
  }
  for (std::thread& starter : starters) starter.join();
  EXPECT_EQ(started, 1);
}

// --- options -----------------------------------------------------------------

std::string Refusal(const Options& options) {
  const absl::Status status = Profiler::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status, options.Validate());
  return std::string(status.message());
}

TEST(OptionsTest, OutOfRangeAreRefusedByName) {
  Options options;
  for (const int hz : {0, -1, 1001}) {
    options.frequency_hz = hz;
    EXPECT_EQ(Refusal(options),
              "frequency_hz must be from 1 to 1000, not " + std::to_string(hz));
  }
  options = {};
  for (const int signal : {SIGPROF, SIGUSR1, SIGKILL, 0, -1, 1000}) {
    options.signal = signal;
    EXPECT_THAT(Refusal(options), HasSubstr("signal must be one that"));
  }
  options = {};
  options.memory_bytes = 1000;
  EXPECT_THAT(Refusal(options), HasSubstr("memory_bytes must be at least"));
}

TEST(OptionsTest, TheirLimitsAreFine) {
  for (const int hz : {1, 1000}) {
    Options options;
    options.frequency_hz = hz;
    options.memory_bytes = size_t{8} << 20;
    options.signal = hz == 1 ? SIGWINCH : SIGCHLD;
    EXPECT_TRUE(Profiler::Start(options).ok());
  }
}

// --- forks -------------------------------------------------------------------

TEST(ForkTest, ChildsProfilerIsOff) {
  Profiling profiling;
  EXPECT_EQ(
      StatusOfChild([&] {
        const auto off = absl::StatusCode::kFailedPrecondition;
        if (profiling->Collect(absl::Milliseconds(10)).status().code() != off) {
          return 1;
        }
        if (profiling->Snapshot().status().code() != off) return 2;
        if (profiling->RunPrivately("x", [] {}).code() != off) return 3;
        if (!profiling->Threads().empty()) return 4;
        if (profiling->Stats().ticks != 0) return 5;
        profiling.Stop();
        return 0;
      }),
      0);
  EXPECT_TRUE(profiling->Collect(absl::Milliseconds(50)).ok())
      << "the parent's goes on";
}

TEST(ForkTest, ChildMayStartItsOwn) {
  Profiling profiling;
  for (const bool stop_first : {true, false}) {
    EXPECT_EQ(
        StatusOfChild([&] {
          if (stop_first) profiling.Stop();
          NameThread("the-child");
          Profiling own;
          const Collected collected = own.Collect(absl::Milliseconds(100));
          return collected.Sum(Collected::Thread("the-child")).wall_ns > 0 ? 0
                                                                           : 1;
        }),
        0);
  }
}

TEST(ForkTest, ChildIsProfiledWhereTheOptionSaysSo) {
  Options options;
  options.restart_in_child = true;
  Profiling profiling(options);
  const int status = StatusOfChild([&] {
    NameThread("the-child");
    const ScopedLabel label("in", "child");
    const Collected collected = profiling.Collect(absl::Milliseconds(200));
    if (collected.Sum(Collected::Thread("the-child")).wall_ns <= 0) return 1;
    for (const NamedSample& sample : collected.samples()) {
      if (sample.label("thread") == "the-child" &&
          sample.label("in") == "child") {
        profiling.Stop();
        return 0;
      }
    }
    return 2;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(profiling->Collect(absl::Milliseconds(50)).ok());
}

TEST(ForkTest, ChildrenOfChildrenToo) {
  Options options;
  options.restart_in_child = true;
  Profiling profiling(options);
  EXPECT_EQ(StatusOfChild([&] {
              return StatusOfChild([&] {
                const auto profile = profiling->Collect(absl::Milliseconds(50));
                return profile.ok() ? 0 : 1;
              });
            }),
            0);
}

// Children that label and load a library, forked while others label and
// measure, and while the sampler looks a thousand times a second. None of the
// program's threads loads libraries meanwhile: with that glibc itself hangs.
TEST(ForkTest, UnderLoadNoChildHangs) {
  Options options;
  options.frequency_hz = 1000;
  Profiling profiling(options);
  std::atomic<bool> done{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&] {
      Compute([&] {
        const ScopedLabel label("key", "value");
        return done.load();
      });
    });
  }
  busy.emplace_back([&] {
    while (!done) {
      EXPECT_TRUE(profiling->Collect(absl::Milliseconds(5)).ok());
    }
  });
  int hung = 0;
  for (int i = 0; i < 60 && hung == 0; ++i) {
    hung += StatusOfChild([] {
              const ScopedLabel label("in", "child");
              void* library = dlopen(GENERATION_B, RTLD_NOW);
              return library == nullptr ? 1 : 0;
            }) != 0;
  }
  EXPECT_EQ(hung, 0);
  done = true;
  for (std::thread& thread : busy) thread.join();
}

TEST(ForkTest, WhileProfilersComeAndGoNoChildHangs) {
  std::atomic<bool> done{false};
  std::thread starter([&] {
    while (!done) EXPECT_TRUE(Profiler::Start().ok());
  });
  int hung = 0;
  for (int i = 0; i < 100 && hung == 0; ++i) {
    hung += StatusOfChild([] { return Profiler::Start().ok() ? 0 : 1; }) != 0;
  }
  EXPECT_EQ(hung, 0);
  done = true;
  starter.join();
}

}  // namespace
}  // namespace wallprof::capture
