/* Programs that care which signals there are. With "sigwait" and "signalfd" all
 * are blocked and waited for; what comes, other than the SIGTERM that ends it,
 * is told. With "setuid" and "setgid" the identity changes, from one thread or
 * several. With "specific" thread-specific data is watched. */
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
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
  return 2;
}
