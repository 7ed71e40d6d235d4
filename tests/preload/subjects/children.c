/* Makes a child in the way its first argument names; what the child runs, if
 * anything, are the other arguments. Status 0 if all went well. */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy.h"

enum { kWork = 60 };

extern char** environ;

static int StatusOf(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 100;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

__attribute__((noinline)) static void ChildBusy(void) { Busy(kWork); }

static int Fork(void (*end)(int)) {
  const pid_t child = fork();
  if (child == 0) {
    ChildBusy();
    end(0);
  }
  return StatusOf(child);
}

/* As daemons do: the one that lives on is the child of a child. */
static int Daemonise(void) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    ChildBusy();
    exit(0);
  }
  close(ends[1]);
  /* End of file once the grandchild has gone. */
  if (read(ends[0], &byte, 1) != 0) return 1;
  return StatusOf(child);
}

static int Nested(int depth) {
  if (depth == 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    ChildBusy();
    exit(Nested(depth - 1));
  }
  return StatusOf(child);
}

static int Popen(const char* command) {
  FILE* stream = popen(command, "r");
  while (fgetc(stream) != EOF) {
  }
  return pclose(stream);
}

static volatile int stop;

static void* Allocate(void* unused) {
  while (!stop) {
    free(malloc(100));
    free(malloc(100000));
  }
  return unused;
}

/* Children that load a library, of a program whose other threads allocate. */
static int ForkMany(int times) {
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, Allocate, NULL);
  int failed = 0;
  for (int i = 0; i < times; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(malloc(1000) == NULL);
    failed |= StatusOf(child);
  }
  stop = 1;
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  return failed;
}

static int Exec(char** command) {
  const pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  return StatusOf(child);
}

static int Vfork(char** command) {
  const pid_t child = vfork();
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  return StatusOf(child);
}

static int Spawn(char** command) {
  pid_t child;
  if (posix_spawnp(&child, command[0], NULL, NULL, command, environ) != 0) {
    return 1;
  }
  return StatusOf(child);
}

static int Raw(void) {
  const pid_t child = (pid_t)syscall(SYS_fork);
  if (child == 0) _exit(0);
  return StatusOf(child);
}

static void* BusyForEver(void* unused) {
  for (;;) Busy(kWork);
  return unused;
}

/* Becomes itself, so many times, while another thread computes. */
static int Again(const char* program, int times) {
  if (times == 0) {
    Busy(kWork);
    return 0;
  }
  char number[16];
  snprintf(number, sizeof(number), "%d", times - 1);
  pthread_t thread;
  if (pthread_create(&thread, NULL, BusyForEver, NULL) != 0) return 1;
  Busy(1 + times % 3);
  execl(program, program, "again", number, (char*)NULL);
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const char* how = argv[1];
  char** command = argv + 2;
  const int number = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(how, "again") == 0) return Again(argv[0], number);
  Busy(kWork);
  if (strcmp(how, "fork") == 0) return Fork(exit);
  if (strcmp(how, "fork-_exit") == 0) return Fork(_exit);
  if (strcmp(how, "daemonise") == 0) return Daemonise();
  if (strcmp(how, "nested") == 0) return Nested(number);
  if (strcmp(how, "many") == 0) return ForkMany(number);
  if (strcmp(how, "exec") == 0) return Exec(command);
  if (strcmp(how, "vfork") == 0) return Vfork(command);
  if (strcmp(how, "spawn") == 0) return Spawn(command);
  if (strcmp(how, "system") == 0) return system(command[0]);
  if (strcmp(how, "popen") == 0) return Popen(command[0]);
  if (strcmp(how, "raw") == 0) return Raw();
  return 2;
}
