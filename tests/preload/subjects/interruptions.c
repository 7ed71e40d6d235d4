/* Interrupts calls that block by a signal whose handler computes for a while,
 * and prints of each whether it failed with EINTR or went on. A second thread
 * sends the signal once the first is blocked; it lets a call that goes on end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "busy.h"

enum { kForEver = 3600 };

static int pipe_ends[2];
static int listener;
static struct sockaddr_un address;
static socklen_t address_size = sizeof(sa_family_t);
static sem_t semaphore;
static sigset_t nothing;

static int Poll(void) {
  struct pollfd input = {pipe_ends[0], POLLIN, 0};
  return poll(&input, 1, -1);
}

static int Suspend(void) { return sigsuspend(&nothing); }

static int Accept(void) {
  const int connection = accept(listener, NULL, NULL);
  if (connection >= 0) close(connection);
  return connection;
}

static int Read(void) {
  char byte;
  return (int)read(pipe_ends[0], &byte, 1);
}

static int WaitForSemaphore(void) { return sem_wait(&semaphore); }

static int Sleep(void) {
  const struct timespec time = {kForEver, 0};
  return nanosleep(&time, NULL);
}

static pthread_t main_thread;

static void Signal(void) { pthread_kill(main_thread, SIGUSR1); }

static void Write(void) {
  if (write(pipe_ends[1], "x", 1) != 1) abort();
}

static void Connect(void) {
  const int connection = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr*)&address, address_size) != 0) {
    abort();
  }
  close(connection);
}

static void Post(void) { sem_post(&semaphore); }

static const struct {
  const char* name;
  int (*block)(void);
  void (*end)(void); /* of a call that was not interrupted */
} kCalls[] = {
    {"poll", Poll, Write},           {"pause", pause, Signal},
    {"sigsuspend", Suspend, Signal}, {"accept", Accept, Connect},
    {"read", Read, Write},           {"sem_wait", WaitForSemaphore, Post},
    {"nanosleep", Sleep, Signal}};
enum { kCallCount = sizeof(kCalls) / sizeof(kCalls[0]), kVariants = 12 };

/* Calls are numbered from 1; these are the last that has begun, that was
 * signalled to the end of the handler, and that has returned. */
static atomic_int begun, handled, returned;
static atomic_int signals; /* handled during the call under way */
static int work;
static pid_t main_tid;

static void OnSignal(int number) {
  (void)number;
  const int saved_errno = errno;
  Busy(work);
  ++signals;
  handled = begun;
  errno = saved_errno;
}

static int MainSleeps(void) {
  char path[64], state = '?';
  snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)main_tid);
  FILE* file = fopen(path, "re");
  if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) abort();
  fclose(file);
  return state == 'S';
}

/* Until the call has returned, which is asked last: the thread may sleep
 * elsewhere then. True if it has not. */
static int WaitUntilBlocked(int call) {
  while (returned < call) {
    if (begun == call && MainSleeps() && returned < call) return 1;
    usleep(100);
  }
  return 0;
}

static void* Interrupt(void* unused) {
  for (int call = 1; call <= kCallCount * kVariants; ++call) {
    if (!WaitUntilBlocked(call)) continue;
    Signal();
    while (handled < call) usleep(100);
    if (WaitUntilBlocked(call)) kCalls[(call - 1) / kVariants].end();
  }
  return unused;
}

static void Try(int call, int flags, int masks_all, int milliseconds) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = OnSignal;
  action.sa_flags = flags;
  if (masks_all) sigfillset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  work = milliseconds;
  signals = 0;
  begun = call;
  const int result = kCalls[(call - 1) / kVariants].block();
  const int error = errno;
  returned = call;
  printf("%s, %s, %s mask, %d ms: %s after %d\n",
         kCalls[(call - 1) / kVariants].name, flags == 0 ? "-" : "SA_RESTART",
         masks_all ? "full" : "empty", milliseconds,
         result < 0 ? strerrorname_np(error) : "went on", signals);
}

int main(void) {
  static const int kMilliseconds[kVariants / 4] = {1, 5, 20};
  pthread_t other;
  main_thread = pthread_self();
  main_tid = getpid();
  if (pipe(pipe_ends) != 0 || sem_init(&semaphore, 0, 0) != 0) return 1;
  /* Linux picks a name. */
  address.sun_family = AF_UNIX;
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, address_size) != 0) return 1;
  address_size = sizeof(address);
  getsockname(listener, (struct sockaddr*)&address, &address_size);
  listen(listener, 1);
  pthread_create(&other, NULL, Interrupt, NULL);
  for (int call = 1; call <= kCallCount * kVariants; ++call) {
    const int variant = call % kVariants;
    Try(call, variant % 2 == 0 ? 0 : SA_RESTART, variant / 2 % 2,
        kMilliseconds[variant / 4]);
  }
  return pthread_join(other, NULL);
}
