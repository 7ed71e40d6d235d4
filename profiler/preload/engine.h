/* What the preloaded object and the engine say to each other.
 *
 * The preloaded object is in the program's own namespace and needs libc alone;
 * the engine, with the libraries it needs, is loaded into a namespace of its
 * own (dlmopen), with a libc of its own. Neither finds a symbol of the other;
 * only these functions cross, found by name, with plain C types. */
#ifndef WALLPROF_PROFILER_PRELOAD_ENGINE_H_
#define WALLPROF_PROFILER_PRELOAD_ENGINE_H_

#include <malloc.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* By which the engine asks running threads for their stacks. */
#define WALLPROF_ENGINE_SIGNAL SIGURG

/* Values of the WALLPROF_ variables; NULL where not set. */
struct wallprof_request {
  const char* listen;
  const char* output;
  const char* hz;
  const char* view;
  const char* cpu_only;       /* "1": Options::cpu_only */
  const char* record;         /* "1": the last day is kept (Options::record) */
  const char* record_dir;     /* the same, and written there */
  const char* recording;      /* file that `wallprof run` reads afterwards */
  const char* bundle_dir;     /* bundles go there (BundleSchedule) */
  const char* bundle_process; /* their process id, where another knows it too */
  /* The program's mallinfo2; NULL where its allocator is not libc's. */
  struct mallinfo2 (*mallinfo)(void);
};

/* Starts sampling. 0, or -1 with one line, without newline, in `error`. */
int wallprof_engine_start(const struct wallprof_request* request, char* error,
                          unsigned long error_size);

/* Writes the output and ends all threads of the engine. */
void wallprof_engine_finish(void);

/* Whether a signal is one by which the engine asks a thread for its stack. */
int wallprof_engine_owns_signal(const siginfo_t* info);

/* What sigaction does, of the signal that the engine has a handler for: sets
 * what is done with signals that are not its own. 0: its handler is not
 * installed, and nothing was done. One caller at a time, with all signals
 * blocked. */
int wallprof_engine_set_program_action(const struct sigaction* action,
                                       struct sigaction* before);

/* The calling thread is not to be asked, or may be again. With all signals
 * blocked. */
void wallprof_engine_keep_off(int off);

/* Those of the functions that concern the program's signals. */
struct wallprof_engine_signals {
  __typeof__(&wallprof_engine_owns_signal) owns;
  __typeof__(&wallprof_engine_set_program_action) set_program_action;
  __typeof__(&wallprof_engine_keep_off) keep_off;
};

/* Around a fork, as pthread_atfork calls them. */
void wallprof_engine_before_fork(void);
void wallprof_engine_after_fork_in_parent(void);
void wallprof_engine_after_fork_in_child(void);

#ifdef __cplusplus
}
#endif

#endif /* WALLPROF_PROFILER_PRELOAD_ENGINE_H_ */
