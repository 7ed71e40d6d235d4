/* Works for a while, then ends in the way its argument names, with status 7. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "busy.h"

enum { kStatus = 7, kWork = 60 };

static void* Exit(void* unused) {
  (void)unused;
  Busy(kWork);
  exit(kStatus);
}

static void* ExitAtOnce(void* unused) {
  (void)unused;
  Busy(kWork);
  _exit(kStatus);
}

static void* Return(void* unused) {
  Busy(kWork);
  return unused;
}

static void OnSignal(int number) {
  (void)number;
  _exit(kStatus);
}

static pthread_t Start(void* (*body)(void*)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, body, NULL) != 0) abort();
  return thread;
}

static pthread_barrier_t both;

static void* ExitWithOthers(void* unused) {
  (void)unused;
  pthread_barrier_wait(&both);
  _exit(kStatus);
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "return";
  Busy(kWork);
  if (strcmp(how, "return") == 0) return kStatus;
  if (strcmp(how, "exit") == 0) exit(kStatus);
  if (strcmp(how, "quick_exit") == 0) quick_exit(kStatus);
  if (strcmp(how, "_exit") == 0) _exit(kStatus);
  if (strcmp(how, "_Exit") == 0) _Exit(kStatus);
  if (strcmp(how, "thread-exit") == 0) {
    pthread_join(Start(Exit), NULL);
  } else if (strcmp(how, "thread-_exit") == 0) {
    pthread_join(Start(ExitAtOnce), NULL);
  } else if (strcmp(how, "main-leaves") == 0) {
    /* The last thread's return ends the program, with status 0. */
    Start(Return);
    pthread_exit(NULL);
  } else if (strcmp(how, "main-leaves-exit") == 0) {
    Start(Exit);
    pthread_exit(NULL);
  } else if (strcmp(how, "many-at-once") == 0) {
    enum { kThreads = 4 };
    pthread_barrier_init(&both, NULL, kThreads + 1);
    for (int i = 0; i < kThreads; ++i) Start(ExitWithOthers);
    pthread_barrier_wait(&both);
    exit(kStatus);
  } else if (strcmp(how, "in-handler") == 0) {
    signal(SIGTERM, OnSignal);
    raise(SIGTERM);
  } else if (strcmp(how, "signal") == 0) {
    raise(SIGTERM);
  } else if (strcmp(how, "changed-directory") == 0) {
    if (chdir("/") != 0) abort();
    return kStatus;
  } else if (strcmp(how, "cleared-environment") == 0) {
    clearenv();
    return kStatus;
  } else if (strcmp(how, "closed-descriptors") == 0) {
    for (int fd = 3; fd < 1024; ++fd) close(fd);
    return kStatus;
  }
  fprintf(stderr, "unknown way to end: %s\n", how);
  return 1;
}
