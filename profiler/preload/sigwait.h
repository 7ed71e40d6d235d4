/* sigwait and its like, taken over from libc in the program. */
#ifndef WALLPROF_PROFILER_PRELOAD_SIGWAIT_H_
#define WALLPROF_PROFILER_PRELOAD_SIGWAIT_H_

#include <signal.h>

/* From now on they do not return signals of which `ours` is true. */
void IgnoreInSigwait(int (*ours)(const siginfo_t* info));

#endif /* WALLPROF_PROFILER_PRELOAD_SIGWAIT_H_ */
