/* Sleeps in every usual way while other threads compute, or with the argument
 * "alarm" waits to be interrupted by a timer of its own. Prints what came out
 * other than asked for. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "busy.h"

enum { kRounds = 60, kNap = 5, kThreads = 3 };

static int calls, interrupted, early;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static long Milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int SleepBy(int way) {
  const struct timespec nap = {0, kNap * 1000000};
  struct timeval wait = {0, kNap * 1000};
  struct epoll_event event;
  int result;
  switch (way) {
    case 0:
      return usleep(kNap * 1000);
    case 1:
      return nanosleep(&nap, NULL);
    case 2:
      return poll(NULL, 0, kNap);
    case 3:
      return select(0, NULL, NULL, NULL, &wait);
    case 4:
      return clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL) == EINTR ? -1 : 0;
    default: {
      const int fd = epoll_create1(0);
      result = epoll_wait(fd, &event, 1, kNap);
      close(fd);
      return result;
    }
  }
}

static void* Sleep(void* unused) {
  enum { kWays = 6 };
  for (int i = 0; i < kRounds; ++i) {
    const long start = Milliseconds();
    const int result = SleepBy(i % kWays);
    /* Milliseconds are rounded down, twice. */
    const int was_early = Milliseconds() - start < kNap - 1;
    pthread_mutex_lock(&mutex);
    ++calls;
    interrupted += result < 0;
    early += was_early;
    pthread_mutex_unlock(&mutex);
    Busy(2);
  }
  if (sleep(1) != 0) ++interrupted;
  return unused;
}

static void* Compute(void* unused) {
  Busy(1000);
  return unused;
}

static void SleepBesideWork(void) {
  pthread_t sleepers[kThreads], worker;
  pthread_create(&worker, NULL, Compute, NULL);
  for (int i = 0; i < kThreads; ++i) {
    pthread_create(&sleepers[i], NULL, Sleep, NULL);
  }
  for (int i = 0; i < kThreads; ++i) pthread_join(sleepers[i], NULL);
  pthread_join(worker, NULL);
  printf("calls %d interrupted %d early %d\n", calls, interrupted, early);
}

static void OnAlarm(int number) {
  (void)number;
  const int saved_errno = errno;
  Busy(3); /* long enough for a signal of the profiler's to come meanwhile */
  errno = saved_errno;
}

/* Waits far longer than the timer's period; a wait that is restarted in spite
 * of the program's signal would last to its end. */
static void BeInterrupted(void) {
  enum { kWaits = 40, kForEver = 3600 * 1000 };
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = OnAlarm;
  sigfillset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval period = {{0, 50000}, {0, 50000}};
  setitimer(ITIMER_REAL, &period, NULL);
  for (int i = 0; i < kWaits; ++i) {
    interrupted += poll(NULL, 0, kForEver) < 0 && errno == EINTR;
    Busy(1);
  }
  printf("interrupted %d of %d\n", interrupted, kWaits);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "alarm") == 0) {
    BeInterrupted();
  } else {
    SleepBesideWork();
  }
  return 0;
}
