/* Prints, once it has computed for a while, what of the process and of its two
 * threads a profiler could have changed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busy.h"

enum { kWork = 100, kLine = 4096 };

static FILE* Open(const char* path) {
  FILE* file = fopen(path, "re");
  if (file == NULL) abort();
  return file;
}

/* --- a thread --- */

static void PrintStatus(const char* of) {
  static const char* const kFields[] = {
      "Cap",         "Cpus_allowed:", "Gid",     "Groups",  "Mems_allowed:",
      "NoNewPrivs:", "Seccomp:",      "ShdPnd:", "SigBlk:", "SigCgt:",
      "SigIgn:",     "SigPnd:",       "Uid:",    "Umask:"};
  char line[kLine];
  FILE* file = Open("/proc/thread-self/status");
  while (fgets(line, sizeof(line), file) != NULL) {
    for (size_t i = 0; i < sizeof(kFields) / sizeof(char*); ++i) {
      if (strncmp(line, kFields[i], strlen(kFields[i])) == 0) {
        printf("%s %s", of, line);
      }
    }
  }
  fclose(file);
}

static void PrintThread(const char* of) {
  struct sched_param parameters;
  cpu_set_t cpus;
  stack_t stack;
  int type;
  PrintStatus(of);
  sched_getparam(0, &parameters);
  sched_getaffinity(0, sizeof(cpus), &cpus);
  printf("%s policy %d, priority %d, nice %d, %d CPUs, timer slack %d\n", of,
         sched_getscheduler(0), parameters.sched_priority,
         getpriority(PRIO_PROCESS, 0), CPU_COUNT(&cpus),
         prctl(PR_GET_TIMERSLACK));
  sigaltstack(NULL, &stack);
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
  printf("%s alternate stack %d, cancel type %d\n", of, stack.ss_flags, type);
}

static pid_t other_thread;

static void* OtherThread(void* unused) {
  other_thread = gettid();
  Busy(kWork);
  PrintThread("other");
  return unused;
}

/* --- the process --- */

static void PrintFile(const char* path) {
  char line[kLine];
  FILE* file = Open(path);
  while (fgets(line, sizeof(line), file) != NULL) printf("%s %s", path, line);
  fclose(file);
}

static void PrintLimits(void) {
  for (int i = 0; i < RLIM_NLIMITS; ++i) {
    struct rlimit limit;
    getrlimit((__rlimit_resource_t)i, &limit);
    printf("limit %d: %lx %lx\n", i, limit.rlim_cur, limit.rlim_max);
  }
}

static void PrintControls(void) {
  int reaper, signal;
  prctl(PR_GET_CHILD_SUBREAPER, &reaper);
  prctl(PR_GET_PDEATHSIG, &signal);
  printf("dumpable %d, reaper %d, parent's death %d\n", prctl(PR_GET_DUMPABLE),
         reaper, signal);
}

static void PrintLocale(void) {
  printf("locale %s: %'d %.2f\n", setlocale(LC_ALL, NULL), 1234567, 1234.5);
}

/* Memory that is writable and executable; the threads that are not ours. */
static void PrintForeign(void) {
  char line[kLine], access[5], path[64];
  FILE* maps = Open("/proc/self/maps");
  while (fgets(line, sizeof(line), maps) != NULL) {
    if (sscanf(line, "%*s %4s", access) == 1 && access[1] == 'w' &&
        access[2] == 'x') {
      printf("writable code: %s", line);
    }
  }
  fclose(maps);
  DIR* tasks = opendir("/proc/self/task");
  for (struct dirent* task = readdir(tasks); task != NULL;
       task = readdir(tasks)) {
    const pid_t tid = atoi(task->d_name);
    if (tid == 0 || tid == getpid() || tid == other_thread) continue;
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)tid);
    FILE* name = Open(path);
    if (fgets(line, sizeof(line), name) != NULL) printf("thread: %s", line);
    fclose(name);
  }
  closedir(tasks);
}

int main(void) {
  char directory[kLine];
  pthread_t other;
  PrintLocale();
  setlocale(LC_ALL, "");
  pthread_create(&other, NULL, OtherThread, NULL);
  Busy(kWork);
  pthread_join(other, NULL);
  PrintThread("main");
  PrintLimits();
  PrintControls();
  PrintLocale();
  PrintFile("/proc/self/oom_score_adj");
  PrintFile("/proc/self/coredump_filter");
  PrintFile("/proc/self/personality");
  printf("directory %s\n", getcwd(directory, sizeof(directory)));
  PrintForeign();
  return 0;
}
