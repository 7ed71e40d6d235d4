/* Leaves a daemon by a double fork, as services do, and computes beside it on
 * several threads. With "before" the threads are started afterwards, in both
 * processes; with "after" they run already. With "libc" libc does it, and the
 * daemon alone computes. Ends when the daemon has. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy.h"

enum { kThreads = 3, kWork = 60 };

static pthread_t threads[kThreads];

static void* Work(void* unused) {
  for (int i = 0; i < kWork / 10; ++i) {
    free(malloc(100000));
    Busy(10);
  }
  return unused;
}

__attribute__((noinline)) static void DaemonBusy(void) { Busy(kWork); }

static void* WorkInDaemon(void* unused) {
  free(malloc(100000));
  DaemonBusy();
  return unused;
}

static void Start(void* (*work)(void*)) {
  for (int i = 0; i < kThreads; ++i) {
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) abort();
  }
}

static void Join(void) {
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
}

static void BeDaemon(void) {
  Start(WorkInDaemon);
  DaemonBusy();
  Join();
  exit(0);
}

/* The end of a pipe that nobody but the daemon writes to. */
static int LeaveDaemon(void) {
  int ends[2], status;
  if (pipe(ends) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    BeDaemon();
  }
  close(ends[1]);
  if (waitpid(child, &status, 0) != child || status != 0) abort();
  return ends[0];
}

int main(int argc, char** argv) {
  char byte;
  int daemons;
  if (argc < 2) return 2;
  if (strcmp(argv[1], "libc") == 0) {
    Busy(kWork);
    if (daemon(1, 1) != 0) abort();
    BeDaemon();
  }
  if (strcmp(argv[1], "after") == 0) {
    Start(Work);
    daemons = LeaveDaemon();
  } else {
    daemons = LeaveDaemon();
    Start(Work);
  }
  Busy(kWork);
  Join();
  return (int)read(daemons, &byte, 1);
}
