// Clocks read as whole nanoseconds.
#ifndef WALLPROF_PROFILER_THREADS_CLOCK_H_
#define WALLPROF_PROFILER_THREADS_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace wallprof::threads {

// -1 when there is no such clock. Async-signal-safe.
inline int64_t NowNs(clockid_t clock) {
  timespec time;
  if (clock_gettime(clock, &time) != 0) return -1;
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

inline int64_t MonotonicNs() { return NowNs(CLOCK_MONOTONIC); }

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_CLOCK_H_
