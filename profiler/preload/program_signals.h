/* libc's functions for signals, taken over in the program: they do not tell of
 * the engine's signal, its handler and what that needs. */
#ifndef WALLPROF_PROFILER_PRELOAD_PROGRAM_SIGNALS_H_
#define WALLPROF_PROFILER_PRELOAD_PROGRAM_SIGNALS_H_

#include <signal.h>

#include "profiler/preload/engine.h"

/* Those of libc, or of whoever is preloaded after us. */
struct libc_signals {
  __typeof__(&sigaction) sigaction;
  __typeof__(&signal) signal;
  __typeof__(&signal) sysv_signal;
  __typeof__(&sigaltstack) sigaltstack;
  __typeof__(&sigtimedwait) sigtimedwait;
};

/* Looked up by the first call, which is not async-signal-safe. */
const struct libc_signals* LibcSignals(void);

/* From now on the engine's signal is hidden in this process. `engine` must stay
 * as it is for the life of the process. */
void HideSignals(const struct wallprof_engine_signals* engine);

/* In a child by fork, in which nobody is asked: the program's action is set. */
void RestoreSignalsInChild(void);

/* Whether anything is hidden; and whether this signal is. */
int SignalsAreHidden(void);
int IsHidden(const siginfo_t* info);

#endif /* WALLPROF_PROFILER_PRELOAD_PROGRAM_SIGNALS_H_ */
