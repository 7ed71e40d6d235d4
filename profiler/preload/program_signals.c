/* What a program does about the engine's signal, and its alternate stacks.
 *
 * The kernel calls the engine's handler whatever action the program sets. The
 * program's is kept beside it and gets all other signals of that number; asked
 * for the action, libc tells the program its own. */
#define _GNU_SOURCE
#include "profiler/preload/program_signals.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* An alternate stack that is smaller has no room for the engine's handler: the
 * kernel's frame takes 3.4 KiB with AVX-512, the handler up to 1 KiB, and it
 * may come on top of another handler's frame. */
enum { kLeastAlternateStack = 8 << 10 };

static const struct wallprof_engine_signals* engine;

/* The process that the engine's handler is installed in by us. A child by vfork
 * has this memory, but actions of its own. */
static pid_t process;

/* Held while the action is changed, with all signals blocked. */
static atomic_flag changing = ATOMIC_FLAG_INIT;

/* Whether a thread ever had an alternate stack that is too small. */
static _Atomic int had_small_stack;

const struct libc_signals* LibcSignals(void) {
  static struct libc_signals found;
  if (found.sigtimedwait == NULL) {
    found.sigaction = (__typeof__(&sigaction))dlsym(RTLD_NEXT, "sigaction");
    found.signal = (__typeof__(&signal))dlsym(RTLD_NEXT, "signal");
    found.sysv_signal = (__typeof__(&signal))dlsym(RTLD_NEXT, "__sysv_signal");
    found.sigaltstack =
        (__typeof__(&sigaltstack))dlsym(RTLD_NEXT, "sigaltstack");
    found.sigtimedwait =
        (__typeof__(&sigtimedwait))dlsym(RTLD_NEXT, "sigtimedwait");
  }
  return &found;
}

void HideSignals(const struct wallprof_engine_signals* functions) {
  process = getpid();
  engine = functions;
}

void RestoreSignalsInChild(void) {
  struct sigaction program;
  if (engine->set_program_action(NULL, &program)) {
    LibcSignals()->sigaction(WALLPROF_ENGINE_SIGNAL, &program, NULL);
  }
  engine = NULL;
  had_small_stack = 0;
  atomic_flag_clear(&changing); /* whoever held it is not here */
}

int SignalsAreHidden(void) { return engine != NULL; }

int IsHidden(const siginfo_t* info) { return engine->owns(info); }

static int IsOurs(int number) {
  return engine != NULL && number == WALLPROF_ENGINE_SIGNAL &&
         getpid() == process;
}

/* 0 if the engine's handler is no longer there: a program may have replaced it
 * by a system call. */
static int SetAction(const struct sigaction* action, struct sigaction* before) {
  sigset_t all, mask;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &mask);
  while (atomic_flag_test_and_set(&changing)) sched_yield();
  const int done = engine->set_program_action(action, before);
  atomic_flag_clear(&changing);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  return done;
}

EXPORT int sigaction(int number, const struct sigaction* action,
                     struct sigaction* before) {
  if (IsOurs(number)) {
    struct sigaction copy, found; /* the program's may be one and the same */
    if (action != NULL) copy = *action;
    if (SetAction(action == NULL ? NULL : &copy, &found)) {
      if (before != NULL) *before = found;
      return 0;
    }
  }
  return LibcSignals()->sigaction(number, action, before);
}

static sighandler_t SetHandler(int number, sighandler_t handler, int flags,
                               sigset_t mask) {
  const struct sigaction action = {
      .sa_handler = handler, .sa_flags = flags, .sa_mask = mask};
  struct sigaction before;
  return sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

EXPORT sighandler_t signal(int number, sighandler_t handler) {
  if (!IsOurs(number)) return LibcSignals()->signal(number, handler);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, number);
  return SetHandler(number, handler, SA_RESTART, mask);
}

/* What `signal` is where a program is built for strict ISO C or X/Open. */
EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) {
  if (!IsOurs(number)) return LibcSignals()->sysv_signal(number, handler);
  sigset_t mask;
  sigemptyset(&mask);
  return SetHandler(number, handler, SA_RESETHAND | SA_NODEFER, mask);
}

static int IsSmall(const stack_t* stack) {
  return (stack->ss_flags & SS_DISABLE) == 0 &&
         stack->ss_size < kLeastAlternateStack;
}

/* Until its return a signal that is under way comes, on the stack of now. */
static void KeepOff(int off) {
  sigset_t all, mask;
  if (off) had_small_stack = 1;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &mask);
  engine->keep_off(off);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

EXPORT int sigaltstack(const stack_t* stack, stack_t* before) {
  const __typeof__(&sigaltstack) set = LibcSignals()->sigaltstack;
  if (stack == NULL || engine == NULL || getpid() != process) {
    return set(stack, before);
  }
  stack_t old = {.ss_flags = SS_DISABLE};
  const int small = IsSmall(stack);
  set(NULL, &old);
  if (small) KeepOff(1);
  const int result = set(stack, before);
  const int is_small = result == 0 ? small : IsSmall(&old);
  if (!is_small && had_small_stack) KeepOff(0);
  return result;
}
