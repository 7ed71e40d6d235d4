// What benchmarks that run threads of their own share.
#ifndef WALLPROF_BENCH_MEASURING_H_
#define WALLPROF_BENCH_MEASURING_H_

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "profiler/threads/clock.h"

namespace wallprof {

// Uses so much CPU time of the calling thread.
inline void Compute(int64_t cpu_ns) {
  const int64_t until = threads::NowNs(CLOCK_THREAD_CPUTIME_ID) + cpu_ns;
  while (threads::NowNs(CLOCK_THREAD_CPUTIME_ID) < until) {
    for (int i = 0; i < 500; ++i) asm volatile("");
  }
}

// To the end, although signals may come to the calling thread too.
inline void SleepFor(double seconds) {
  const int64_t until =
      threads::MonotonicNs() + static_cast<int64_t>(seconds * 1e9);
  for (int64_t left; (left = until - threads::MonotonicNs()) > 0;) {
    usleep(static_cast<useconds_t>(left / 1000 + 1));
  }
}

// The upper one of the two in the middle; 0 of none.
inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle =
      values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace wallprof

#endif  // WALLPROF_BENCH_MEASURING_H_
