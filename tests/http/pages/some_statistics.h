// Statistics in which no two numbers that matter are the same.
#ifndef WALLPROF_TESTS_HTTP_PAGES_SOME_STATISTICS_H_
#define WALLPROF_TESTS_HTTP_PAGES_SOME_STATISTICS_H_

#include "absl/time/time.h"
#include "wallprof/profiler.h"

namespace wallprof::http {

inline Statistics SomeStatistics() {
  Statistics stats;
  stats.source = "looks";
  stats.frequency_hz = 99;
  stats.achieved_hz = 98.9000001;
  stats.ticks = 990;
  stats.threads = 12;
  stats.cpu_time = absl::Milliseconds(31);
  stats.memory_bytes = 8388608;
  stats.unchanged = 12345678901;
  stats.memo_hits = 930;
  stats.walks = 41;
  stats.interrupts = 17;
  stats.late_total = absl::Milliseconds(1500);
  stats.lost.truncated = 3;
  stats.lost.unseen = 4;
  stats.lost.dropped = 5;
  stats.degraded = {{"procfs-syscall", "EACCES", "interrupt"}};
  return stats;
}

}  // namespace wallprof::http

#endif  // WALLPROF_TESTS_HTTP_PAGES_SOME_STATISTICS_H_
