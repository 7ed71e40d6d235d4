// What the program's threads notice of being sampled: nothing.
#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/collected.h"

namespace wallprof::capture {
namespace {

using Clock = std::chrono::steady_clock;

Options Fast() {
  Options options;
  options.frequency_hz = 999;
  return options;
}

// --- system calls ------------------------------------------------------------

struct Findings {
  std::atomic<int> calls{0};
  std::atomic<int> interrupted{0};
  std::atomic<int> early{0};
};

// Blocks for 2 ms by `call`, which is 0 where it ran to its end.
void Block(Findings& findings, const std::function<int()>& call) {
  const auto before = Clock::now();
  errno = 0;
  const int result = call();
  if (result != 0 && errno == EINTR) ++findings.interrupted;
  if (Clock::now() - before < std::chrono::milliseconds(2)) ++findings.early;
  ++findings.calls;
}

TEST(DisturbanceTest, NoCallIsInterruptedOrEndsEarly) {
  Profiling profiling(Fast());
  Findings findings;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        Block(findings, [] { return poll(nullptr, 0, 2); });
      }
    });
    threads.emplace_back([&] {
      const timespec nap = {0, 2'000'000};
      while (!done) {
        Block(findings, [&] { return nanosleep(&nap, nullptr); });
      }
    });
  }
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        // Computes and blocks in turn, so that it is often just asked.
        const auto until = Clock::now() + std::chrono::milliseconds(1);
        while (Clock::now() < until) {
        }
        Block(findings, [] { return poll(nullptr, 0, 2); });
      }
    });
  }
  profiling.Collect(absl::Seconds(2));
  const Statistics stats = profiling->Stats();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(findings.calls, 500);
  EXPECT_EQ(findings.interrupted, 0);
  EXPECT_EQ(findings.early, 0);
#ifndef __SANITIZE_THREAD__  // which calls handlers later
  EXPECT_GT(stats.interrupts, 50) << "threads were asked";
  EXPECT_EQ(stats.eintr_delivered, 0);
#endif
}

TEST(DisturbanceTest, InterruptionsOfTheProgramsOwnArrive) {
  struct sigaction action = {}, before;
  // Without SA_RESTART, and long enough that ours comes meanwhile.
  action.sa_handler = [](int) {
    const auto until = Clock::now() + std::chrono::milliseconds(3);
    while (Clock::now() < until) {
    }
  };
  sigaction(SIGALRM, &action, &before);
  Profiling profiling(Fast());
  constexpr int kAlarms = 40;
  int interrupted = 0;
  for (int i = 0; i < kAlarms; ++i) {
    const itimerval soon = {{0, 0}, {0, 10'000}};
    setitimer(ITIMER_REAL, &soon, nullptr);
    errno = 0;
    interrupted += poll(nullptr, 0, 10'000) == -1 && errno == EINTR ? 1 : 0;
  }
  EXPECT_EQ(interrupted, kAlarms);
  sigaction(SIGALRM, &before, nullptr);
}

TEST(DisturbanceTest, ErrnoOfComputingThreadsStays) {
  Profiling profiling(Fast());
  std::atomic<bool> done{false};
  std::atomic<bool> changed{false};
  std::thread computing([&] {
    while (!done) {
      errno = 4711;
      const auto until = Clock::now() + std::chrono::milliseconds(1);
      while (Clock::now() < until) {
      }
      if (errno != 4711) changed = true;
    }
  });
  profiling.Collect(absl::Seconds(1));
  done = true;
  computing.join();
  EXPECT_FALSE(changed);
}

// --- masks -------------------------------------------------------------------

void BlockAllSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

TEST(MaskTest, ThreadsThatMaskTheSignalAreShownAsMasked) {
  Profiling profiling;
  std::atomic<bool> done{false};
  std::thread masked([&] {
    BlockAllSignals();
    NameThread("masked");
    Compute([&] { return done.load(); });
  });
  usleep(50'000);
  const Collected collected = profiling.Collect(absl::Seconds(1));
  done = true;
  masked.join();
  const NamedSample all = collected.Sum(Collected::Thread("masked"));
  const NamedSample shown = collected.Sum([](const NamedSample& sample) {
    return sample.label("thread") == "masked" && sample.has("[masked]");
  });
  EXPECT_GT(all.wall_ns, 900'000'000) << collected.Text();
  EXPECT_GT(static_cast<double>(shown.wall_ns),
            0.8 * static_cast<double>(all.wall_ns))
      << collected.Text();
  EXPECT_GT(profiling->Stats().lost.masked, 0);
}

TEST(MaskTest, ThreadsThatUnmaskItAreSampledAgain) {
  Profiling profiling;
  std::atomic<bool> unmask{false}, done{false};
  std::thread thread([&] {
    BlockAllSignals();
    NameThread("changing");
    Compute([&] { return unmask.load(); });
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    Compute([&] { return done.load(); });
  });
  profiling.Collect(absl::Milliseconds(500));
  unmask = true;
  profiling.Collect(absl::Milliseconds(500));  // asked about again by then
  const Collected collected = profiling.Collect(absl::Seconds(1));
  done = true;
  thread.join();
#ifndef __SANITIZE_THREAD__  // which calls handlers later
  const NamedSample sampled = collected.Sum([](const NamedSample& sample) {
    return sample.label("thread") == "changing" && sample.has("Compute(");
  });
  EXPECT_GT(sampled.wall_ns, 500'000'000) << collected.Text();
#endif
}

// The usual daemon: all threads mask everything, and one waits for it.
TEST(MaskTest, AThreadInSigwaitNeverSeesTheSignal) {
  std::atomic<bool> done{false};
  std::atomic<int> unexpected{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      BlockAllSignals();
      while (!done) {
        const auto until = Clock::now() + std::chrono::milliseconds(3);
        while (Clock::now() < until) {
        }
        sigset_t all;
        sigfillset(&all);
        const timespec nap = {0, 2'000'000};
        const int got = sigtimedwait(&all, nullptr, &nap);
        if (got > 0) unexpected = got;
      }
    });
  }
  usleep(20'000);  // they mask from their start on
  Profiling profiling(Fast());
  profiling.Collect(absl::Seconds(2));
  profiling.Stop();
  usleep(20'000);
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(unexpected, 0);
}

TEST(HandlerTakenTest, ProgramsOwnHandlerIsLeftAlone) {
  Profiling profiling(Fast());
  profiling.Collect(absl::Milliseconds(100));
  static std::atomic<int> calls{0};
  struct sigaction own = {}, before;
  own.sa_handler = [](int) { ++calls; };
  sigaction(SIGURG, &own, &before);
  std::atomic<bool> done{false};
  std::thread computing([&] { Compute([&] { return done.load(); }); });
  usleep(50'000);  // what was under way has come by now
  calls = 0;
  profiling.Collect(absl::Milliseconds(500));
  EXPECT_EQ(calls, 0) << "no signal of ours is sent";
  raise(SIGURG);
  EXPECT_EQ(calls, 1);
  done = true;
  computing.join();
  sigaction(SIGURG, &before, nullptr);
}

TEST(HandlerTakenTest, EarlierHandlerOfTheProgramGoesOn) {
  static std::atomic<int> calls{0};
  struct sigaction own = {}, before;
  own.sa_handler = [](int) { ++calls; };
  sigaction(SIGURG, &own, &before);
  {
    Profiling profiling(Fast());
    std::atomic<bool> done{false};
    std::thread computing([&] { Compute([&] { return done.load(); }); });
    profiling.Collect(absl::Milliseconds(300));
    EXPECT_EQ(calls, 0) << "of ours it sees nothing";
    raise(SIGURG);
    EXPECT_EQ(calls, 1);
    done = true;
    computing.join();
  }
  raise(SIGURG);
  EXPECT_EQ(calls, 2) << "also when the profiler is gone";
  sigaction(SIGURG, &before, nullptr);
}

// --- small stacks ------------------------------------------------------------

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

struct SmallThread {
  std::atomic<bool> done{false};
  std::atomic<bool> ready{false};
};

// Computes with its stack nearly full: a signal frame would not fit.
__attribute__((noinline)) void FillStack(SmallThread& thread) {
  volatile char used[9000];
  used[0] = 1;
  thread.ready = true;
  while (!thread.done) used[1] = static_cast<char>(used[1] + 1);
  used[2] = used[0];
}

TEST(SmallStackTest, ThreadsWithoutRoomForASignalAreNotInterrupted) {
  Profiling profiling(Fast());
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 16 << 10), 0);
  SmallThread small;
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  pthread_setname_np(pthread_self(), "small");
                  FillStack(*static_cast<SmallThread*>(argument));
                  return nullptr;
                },
                &small),
            0);
  while (!small.ready) usleep(100);
  const Collected collected = profiling.Collect(absl::Seconds(1));
  small.done = true;
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  const NamedSample all = collected.Sum(Collected::Thread("small"));
  const NamedSample shown = collected.Sum([](const NamedSample& sample) {
    return sample.label("thread") == "small" && sample.has("[small stack]");
  });
  EXPECT_GT(all.wall_ns, 900'000'000);
  EXPECT_GT(static_cast<double>(shown.wall_ns),
            0.8 * static_cast<double>(all.wall_ns))
      << collected.Text();
  EXPECT_GT(profiling->Stats().lost.small_stack, 0);
}

#endif

}  // namespace
}  // namespace wallprof::capture
