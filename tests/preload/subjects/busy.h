/* Work that shows in a profile under its own name. */
#ifndef WALLPROF_TESTS_PRELOAD_SUBJECTS_BUSY_H_
#define WALLPROF_TESTS_PRELOAD_SUBJECTS_BUSY_H_

#include <time.h>

static inline long CpuMilliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Computes for so much CPU time of the calling thread. */
__attribute__((noinline, noclone, unused)) static void Busy(long milliseconds) {
  const long until = CpuMilliseconds() + milliseconds;
  volatile unsigned sum = 0;
  while (CpuMilliseconds() < until) {
    for (int i = 0; i < 10000; ++i) sum += (unsigned)i;
  }
}

#endif /* WALLPROF_TESTS_PRELOAD_SUBJECTS_BUSY_H_ */
