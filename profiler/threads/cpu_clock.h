// The CPU-time clock of another thread of this process.
#ifndef WALLPROF_PROFILER_THREADS_CPU_CLOCK_H_
#define WALLPROF_PROFILER_THREADS_CPU_CLOCK_H_

#include <time.h>

#include <cstdint>

#include "profiler/threads/clock.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::threads {

// The kernel's encoding of "CPU-time clock (2) of one thread (4)", as
// pthread_getcpuclockid makes it; by tid it needs no pthread_t.
inline clockid_t CpuClockOf(Tid tid) {
  return static_cast<clockid_t>((~static_cast<unsigned>(tid) << 3) | 6);
}

// CPU time in nanoseconds, or -1 when there is no such thread. Thread-safe.
inline int64_t CpuTimeOf(Tid tid) { return NowNs(CpuClockOf(tid)); }

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_CPU_CLOCK_H_
