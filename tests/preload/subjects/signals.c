/* Programs that care which signals there are. With "sigwait" and "signalfd" all
 * are blocked and waited for; what comes, other than the SIGTERM that ends it,
 * is told. With "setuid" and "setgid" the identity changes, from one thread or
 * several. With "specific" thread-specific data is watched. With "masking"
 * signals are blocked and waited for between pieces of work, by the function
 * named next. With "privileges" they are given up, and looked for in all
 * threads. */
#define _GNU_SOURCE
#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "busy.h"

enum { kWork = 500 };

static void* WorkAndTerm(void* unused) {
  Busy(kWork);
  kill(getpid(), SIGTERM);
  return unused;
}

static sigset_t BlockAll(void) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  return all;
}

static void Told(int number) {
  if (number != SIGTERM) printf("signal %d\n", number);
}

static int Wait(int by_descriptor) {
  const sigset_t all = BlockAll();
  const int fd = by_descriptor ? signalfd(-1, &all, SFD_CLOEXEC) : -1;
  pthread_t worker;
  pthread_create(&worker, NULL, WorkAndTerm, NULL);
  int number = 0;
  while (number != SIGTERM) {
    if (by_descriptor) {
      struct signalfd_siginfo info;
      if (read(fd, &info, sizeof(info)) != sizeof(info)) return 1;
      number = (int)info.ssi_signo;
    } else if (sigwait(&all, &number) != 0) {
      return 1;
    }
    Told(number);
  }
  pthread_join(worker, NULL);
  return 0;
}

/* Each wait is ended by a signal of the program's own; of a number above that
 * of others, since the kernel hands out the lowest first. */
static int MaskAndWait(const char* how) {
  enum { kWaits = 200, kOwn = SIGIO };
  const struct timespec second = {1, 0};
  sigset_t all, before;
  sigfillset(&all);
  for (int i = 0; i < kWaits; ++i) {
    int number = 0;
    Busy(2);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    kill(getpid(), kOwn);
    while (number != kOwn) {
      if (strcmp(how, "sigwait") == 0) {
        sigwait(&all, &number);
      } else if (strcmp(how, "sigwaitinfo") == 0) {
        number = sigwaitinfo(&all, NULL);
      } else {
        number = sigtimedwait(&all, NULL, &second);
      }
      if (number != kOwn) Told(number);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  printf("waited %d times\n", kWaits);
  return 0;
}

/* The lines of a thread's status that tell what it may do. */
static void ReadPrivileges(const char* tid, char* text, size_t size) {
  char path[64], line[256];
  snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
  FILE* file = fopen(path, "re");
  text[0] = '\0';
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, "CapPrm:", 7) == 0 || strncmp(line, "NoNew", 5) == 0) {
      strncat(text, line, size - strlen(text) - 1);
    }
  }
  if (file != NULL) fclose(file);
}

static int CountThreadsWithOthers(const char* own) {
  int count = 0;
  DIR* threads = opendir("/proc/self/task");
  for (struct dirent* entry; (entry = readdir(threads)) != NULL;) {
    char text[256];
    if (entry->d_name[0] == '.') continue;
    ReadPrivileges(entry->d_name, text, sizeof(text));
    count += text[0] != '\0' && strcmp(text, own) != 0;
  }
  closedir(threads);
  return count;
}

static int GiveUpPrivileges(void) {
  enum { kChecks = 500 };
  char own[256], tid[16];
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
  Busy(50);
  if (syscall(SYS_capset, &header, none) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return 1;
  }
  snprintf(tid, sizeof(tid), "%d", getpid());
  ReadPrivileges(tid, own, sizeof(own));
  for (int i = 0; i < kChecks; ++i) {
    if (CountThreadsWithOthers(own) == 0) {
      printf("none has more\n");
      return 0;
    }
    Busy(10);
  }
  printf("%d still have what was given up\n", CountThreadsWithOthers(own));
  return 0;
}

static volatile int stop;

static void* Idle(void* unused) {
  while (!stop) usleep(1000);
  return unused;
}

static int ChangeIdentity(int threads) {
  enum { kMaxThreads = 8, kNobody = 65534 };
  pthread_t others[kMaxThreads];
  for (int i = 0; i < threads; ++i) {
    pthread_create(&others[i], NULL, Idle, NULL);
  }
  Busy(50);
  if (setgroups(0, NULL) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) {
    return 1;
  }
  stop = 1;
  for (int i = 0; i < threads; ++i) pthread_join(others[i], NULL);
  printf("%d %d\n", (int)getuid(), (int)getgid());
  return 0;
}

/* Every value that the program keeps for its thread stays what it is, also
 * while the program ends. */
enum { kKeys = 64 };
static pthread_key_t keys[kKeys];

static void CheckSpecific(void) {
  for (int i = 0; i < kKeys; ++i) {
    if (pthread_getspecific(keys[i]) != &keys[i]) {
      printf("key %d\n", i);
      fflush(stdout);
    }
  }
}

static int KeepSpecific(void) {
  for (int i = 0; i < kKeys; ++i) {
    pthread_key_create(&keys[i], NULL);
    pthread_setspecific(keys[i], &keys[i]);
  }
  atexit(CheckSpecific);
  Busy(kWork);
  CheckSpecific();
  return 0;
}

__attribute__((destructor)) static void AtEnd(void) {
  if (keys[1] != 0) CheckSpecific();
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (strcmp(argv[1], "sigwait") == 0) return Wait(0);
  if (strcmp(argv[1], "signalfd") == 0) return Wait(1);
  if (strcmp(argv[1], "setuid") == 0) return ChangeIdentity(0);
  if (strcmp(argv[1], "setuid-threads") == 0) return ChangeIdentity(4);
  if (strcmp(argv[1], "specific") == 0) return KeepSpecific();
  if (strcmp(argv[1], "privileges") == 0) return GiveUpPrivileges();
  if (strcmp(argv[1], "masking") == 0 && argc > 2) return MaskAndWait(argv[2]);
  return 2;
}
