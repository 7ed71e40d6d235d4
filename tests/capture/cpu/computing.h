// Threads that compute, for tests of what is measured of CPU time alone.
#ifndef WALLPROF_TESTS_CAPTURE_CPU_COMPUTING_H_
#define WALLPROF_TESTS_CAPTURE_CPU_COMPUTING_H_

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "tests/capture/collected.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {

inline Options CpuOnly(int frequency_hz = 999) {
  Options options;
  options.cpu_only = true;
  options.frequency_hz = frequency_hz;
  return options;
}

inline int64_t CpuNs(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

// Computes for so much CPU time of the calling thread.
inline void ComputeFor(int64_t ns) {
  const int64_t end = CpuNs(CLOCK_THREAD_CPUTIME_ID) + ns;
  Compute([end] { return CpuNs(CLOCK_THREAD_CPUTIME_ID) >= end; });
}
__attribute__((noinline)) inline void LongPart(int64_t ns) {
  ComputeFor(ns);
  asm volatile("");  // no tail call
}
__attribute__((noinline)) inline void ShortPart(int64_t ns) {
  ComputeFor(ns);
  asm volatile("");
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

// Runs `body` on a thread whose number is `tid`. False, and not run, where that
// cannot be had: it takes privileges, and others start threads too.
inline bool RunOnThread(pid_t tid, const std::function<void()>& body) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    std::ofstream("/proc/sys/kernel/ns_last_pid") << tid - 1;
    bool had = false;
    std::thread([&] {
      had = syscall(SYS_gettid) == tid;
      if (had) body();
    }).join();
    if (had) return true;
  }
  return false;
}

// True where the kernel lets this process have perf events.
inline bool HasPerfEvents(Profiler& profiler) {
  return profiler.Collect(absl::Milliseconds(1)).ok() &&
         profiler.Stats().source == "perf-events";
}

}  // namespace wallprof::capture

#endif  // WALLPROF_TESTS_CAPTURE_CPU_COMPUTING_H_
