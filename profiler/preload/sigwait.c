/* The functions that wait for signals, without those of the profiler.
 *
 * A thread that blocks all signals is never asked for its stack; but one that
 * begins to within milliseconds of being asked has a signal pending, and one of
 * these would return it: daemons end when they are given a signal that they do
 * not know. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "profiler/preload/program_signals.h"

#define EXPORT __attribute__((visibility("default")))

/* What is left of `timeout`, which began at `start`. */
static struct timespec Left(const struct timespec* timeout,
                            const struct timespec* start) {
  enum { kSecond = 1000000000 };
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct timespec left = {timeout->tv_sec - (now.tv_sec - start->tv_sec),
                          timeout->tv_nsec - (now.tv_nsec - start->tv_nsec)};
  if (left.tv_nsec < 0) {
    left.tv_nsec += kSecond;
    --left.tv_sec;
  } else if (left.tv_nsec >= kSecond) {
    left.tv_nsec -= kSecond;
    ++left.tv_sec;
  }
  if (left.tv_sec < 0) left = (struct timespec){0, 0};
  return left;
}

EXPORT int sigtimedwait(const sigset_t* set, siginfo_t* info,
                        const struct timespec* timeout) {
  siginfo_t own;
  if (info == NULL) info = &own;
  const __typeof__(&sigtimedwait) wait = LibcSignals()->sigtimedwait;
  if (!SignalsAreHidden()) return wait(set, info, timeout);
  struct timespec start, left;
  if (timeout != NULL) {
    clock_gettime(CLOCK_MONOTONIC, &start);
    left = *timeout;
  }
  for (;;) {
    const int number = wait(set, info, timeout == NULL ? NULL : &left);
    if (number <= 0 || !IsHidden(info)) return number;
    if (timeout != NULL) left = Left(timeout, &start);
  }
}

EXPORT int sigwaitinfo(const sigset_t* set, siginfo_t* info) {
  return sigtimedwait(set, info, NULL);
}

/* Other than the two above: an error is returned, and an interruption by a
 * handler is none. */
EXPORT int sigwait(const sigset_t* set, int* number) {
  const int saved_errno = errno;
  int taken;
  do {
    taken = sigtimedwait(set, NULL, NULL);
  } while (taken < 0 && errno == EINTR);
  const int error = errno;
  errno = saved_errno;
  if (taken < 0) return error;
  *number = taken;
  return 0;
}
