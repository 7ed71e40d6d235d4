#include "tests/storms/storm.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "profiler/threads/cpu_clock.h"

namespace wallprof::storms {
namespace {

using capture::Collected;
using capture::NamedSample;

constexpr int kHz = 999;

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

int64_t OwnCpuNs(const Profiler& profiler) {
  return absl::ToInt64Nanoseconds(profiler.Stats().cpu_time);
}

}  // namespace

absl::Duration StormLength() {
  const char* seconds = getenv("WALLPROF_STORM_SECONDS");
  return absl::Seconds(seconds == nullptr ? 2 : atof(seconds));
}

Collected Rage(const std::vector<Body>& bodies) {
  std::atomic<bool> stop{false};
  const auto done = [&stop] { return stop.load(); };
  std::vector<std::thread> threads;
  std::thread napping([&] {
    capture::NameThread("napping");
    while (!stop) poll(nullptr, 0, 3);
  });
  std::atomic<threads::Tid> tid{0};
  std::thread computing([&] {
    capture::NameThread("computing");
    tid = static_cast<threads::Tid>(syscall(SYS_gettid));
    capture::Compute(done);
  });
  for (const Body& body : bodies) {
    threads.emplace_back([&] {
      capture::NameThread("storm");
      body(done);
    });
  }
  // Who masks signals does it from the start on.
  const int64_t begun = threads::MonotonicNs();
  while (threads::MonotonicNs() < begun + 100'000'000) poll(nullptr, 0, 10);
  Options options;
  options.frequency_hz = kHz;
  capture::Profiling profiling(options);
  profiling.Collect(absl::Milliseconds(300));  // all are known by then
  const int64_t cpu_before = threads::CpuTimeOf(tid);
  const int64_t all_before = threads::NowNs(CLOCK_PROCESS_CPUTIME_ID);
  const int64_t own_before = OwnCpuNs(*profiling);
  const absl::StatusOr<Profile> profile = profiling->Collect(StormLength());
  const int64_t cpu = threads::CpuTimeOf(tid) - cpu_before;
  const int64_t all = threads::NowNs(CLOCK_PROCESS_CPUTIME_ID) - all_before -
                      (OwnCpuNs(*profiling) - own_before);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  napping.join();
  computing.join();
  EXPECT_TRUE(profile.ok()) << profile.status();
  if (!profile.ok()) return Collected(Profile());
  const Collected collected(*profile);
  const int64_t window = absl::ToInt64Nanoseconds(profile->duration);
  for (const char* name : {"napping", "computing"}) {
    EXPECT_EQ(collected.Sum(Collected::Thread(name)).wall_ns, window) << name;
  }
  // The clocks were read a little before and after the window; names and stacks
  // of it were looked up meanwhile.
  EXPECT_NEAR(Seconds(collected.Sum(Collected::Thread("computing")).cpu_ns),
              Seconds(cpu), 0.1 * Seconds(cpu) + 0.1);
  EXPECT_NEAR(Seconds(collected.Sum(Collected::All()).cpu_ns), Seconds(all),
              0.1 * Seconds(all) + 0.2);
  return collected;
}

}  // namespace wallprof::storms
