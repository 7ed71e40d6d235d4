/* Signals that a program has its own use for, by its first argument. "timers"
 * are the three of setitimer. With "urgent" and a number it answers so many
 * SIGURG on standard output; with "ignored" it leaves them to their default
 * while it waits in several calls, until its standard input ends; with
 * "replaced" it installs handlers for them under way, again and again;
 * "actions" asks what its action is after each change of it. "cancel" cancels
 * threads that compute or are blocked. "short-threads" waits beside many of
 * them. "fault" has an alternate stack of as many bytes as told, on which it
 * handles faults and overflows; "spare-stack" has one that no handler uses.
 * "abort" and "kill" end it by that signal. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "busy.h"

static void Handle(int number, void (*handler)(int, siginfo_t*, void*),
                   int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(number, &action, NULL);
}

/* --- timers --- */

static volatile sig_atomic_t came[NSIG];
static volatile sig_atomic_t elsewhere; /* on a thread that is not ours */
static pid_t main_thread;

static void OnTimer(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  ++came[number];
  elsewhere += gettid() != main_thread;
}

static int Timers(void) {
  enum { kPeriod = 10, kWork = 600 };
  const struct itimerval period = {{0, kPeriod * 1000}, {0, kPeriod * 1000}};
  const struct {
    int timer, number;
  } timers[] = {{ITIMER_PROF, SIGPROF},
                {ITIMER_VIRTUAL, SIGVTALRM},
                {ITIMER_REAL, SIGALRM}};
  main_thread = gettid();
  for (int i = 0; i < 3; ++i) {
    Handle(timers[i].number, OnTimer, SA_RESTART);
    setitimer(timers[i].timer, &period, NULL);
  }
  Busy(kWork);
  for (int i = 0; i < 3; ++i) printf("%d ", came[timers[i].number]);
  printf("elsewhere %d\n", elsewhere);
  return 0;
}

/* --- SIGURG --- */

static volatile sig_atomic_t sent, strays;

static void OnUrgent(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  if (info->si_code != SI_USER) {
    ++strays;
  } else {
    ++sent;
    if (write(STDOUT_FILENO, "urgent\n", 7) != 7) _exit(1);
  }
}

static void Ready(void) {
  puts("ready");
  fflush(stdout);
}

static int Urgent(int count) {
  Handle(SIGURG, OnUrgent, SA_RESTART);
  Ready();
  while (sent < count) Busy(1);
  printf("strays %d\n", strays);
  return 0;
}

/* Until standard input ends. */
static int Ignored(void) {
  const struct timespec nap = {0, 5000000};
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  int interrupted = 0;
  Ready();
  for (int polled = 0; polled == 0;) {
    Busy(2);
    interrupted += nanosleep(&nap, NULL) != 0;
    polled = poll(&input, 1, 20);
    if (polled < 0) polled = 0, ++interrupted;
  }
  printf("interrupted %d\n", interrupted);
  return 0;
}

static volatile int stop;

static void* Compute(void* unused) {
  while (!stop) Busy(1);
  return unused;
}

static int Replaced(void) {
  enum { kThreads = 4, kTimes = 300 };
  const struct timespec nap = {0, 500000};
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    pthread_create(&threads[i], NULL, Compute, NULL);
  }
  for (int i = 0; i < kTimes; ++i) {
    nanosleep(&nap, NULL);
    Handle(SIGURG, OnUrgent, SA_RESTART);
    if (i % 30 == 0) kill(getpid(), SIGURG);
    nanosleep(&nap, NULL);
    if (i % 3 != 0) signal(SIGURG, i % 3 == 1 ? SIG_DFL : SIG_IGN);
  }
  stop = 1;
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  printf("sent %d, strays %d\n", sent, strays);
  return 0;
}

static void OnEither(int number) { (void)number, ++sent; }

static void Show(const char* when) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  sigaction(SIGURG, NULL, &action);
  const char* handler = action.sa_handler == SIG_DFL      ? "default"
                        : action.sa_handler == SIG_IGN    ? "ignored"
                        : action.sa_handler == OnEither   ? "handler"
                        : action.sa_sigaction == OnUrgent ? "with info"
                                                          : "foreign";
  printf("%s: %s, flags %x, restorer %d, mask", when, handler, action.sa_flags,
         action.sa_restorer != NULL);
  for (int i = 1; i < 32; ++i) {
    if (sigismember(&action.sa_mask, i)) printf(" %d", i);
  }
  printf(", came %d and %d\n", sent, strays);
}

/* Whether a read that a signal interrupts goes on. */
static void ReadInterrupted(void) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    const struct timespec nap = {0, 50000000};
    for (int i = 0; i < 3; ++i) {
      nanosleep(&nap, NULL);
      kill(getppid(), SIGURG);
    }
    nanosleep(&nap, NULL);
    _exit(write(ends[1], "x", 1) != 1);
  }
  printf("read %zd\n", read(ends[0], &byte, 1));
  waitpid(child, NULL, 0);
}

static int Actions(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  Show("at first");
  action.sa_handler = OnEither;
  sigfillset(&action.sa_mask);
  action.sa_flags = SA_RESETHAND | SA_NODEFER;
  sigaction(SIGURG, &action, NULL);
  Busy(20);
  Show("once");
  raise(SIGURG);
  Show("after it");
  raise(SIGURG);
  Show("after another");
  printf("signal %d\n", signal(SIGURG, OnEither) == SIG_DFL);
  Busy(20);
  raise(SIGURG);
  Show("signal");
  ReadInterrupted();
  printf("again %d\n", signal(SIGURG, SIG_IGN) == OnEither);
  raise(SIGURG);
  Show("ignored");
  Handle(SIGURG, OnUrgent, SA_ONSTACK);
  raise(SIGURG);
  Show("with info");
  ReadInterrupted();
  if (fork() == 0) {
    Show("child");
    signal(SIGURG, SIG_DFL);
    Show("child's own");
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  Show("parent");
  return 0;
}

/* --- cancellation --- */

static sem_t started, never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int pipe_ends[2];
static int cleaned;

static void CleanUp(void* unused) {
  (void)unused;
  ++cleaned;
}

static void Unlock(void* unused) {
  (void)unused;
  pthread_mutex_unlock(&mutex);
}

static void WaitForCondition(void) {
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(Unlock, NULL);
  for (;;) pthread_cond_wait(&condition, &mutex);
  pthread_cleanup_pop(1);
}

static void ComputeForEver(void) {
  volatile unsigned sum = 0;
  for (;;) ++sum;
}

enum { kAsynchronous, kDeferred, kRead, kPause, kSemaphore, kCondition, kWays };

static void* BeCancelled(void* way) {
  char byte;
  int before;
  pthread_cleanup_push(CleanUp, NULL);
  sem_post(&started);
  switch ((int)(long)way) {
    case kAsynchronous:
      pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
      ComputeForEver();
      break;
    case kDeferred:
      for (;;) {
        Busy(1);
        pthread_testcancel();
      }
    case kRead:
      if (read(pipe_ends[0], &byte, 1) != 0) return NULL;
      break;
    case kPause:
      pause();
      break;
    case kSemaphore:
      sem_wait(&never);
      break;
    default:
      WaitForCondition();
  }
  pthread_cleanup_pop(0);
  return NULL;
}

static int Cancel(void) {
  enum { kRounds = 20 };
  int cancelled = 0;
  if (pipe(pipe_ends) != 0) return 1;
  sem_init(&started, 0, 0);
  sem_init(&never, 0, 0);
  for (int i = 0; i < kRounds * kWays; ++i) {
    pthread_t thread;
    void* result;
    pthread_create(&thread, NULL, BeCancelled, (void*)(long)(i % kWays));
    sem_wait(&started);
    Busy(i % 4);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    cancelled += result == PTHREAD_CANCELED;
  }
  printf("cancelled %d, cleaned up %d of %d\n", cancelled, cleaned,
         kRounds * kWays);
  return 0;
}

/* --- threads that come and go --- */

static void* PollOften(void* interrupted) {
  while (!stop) {
    *(int*)interrupted += poll(NULL, 0, 5) != 0;
    Busy(1);
  }
  return NULL;
}

static void* Nothing(void* unused) { return unused; }

static int ShortThreads(void) {
  enum { kThreads = 4, kSeconds = 2 };
  const time_t end = time(NULL) + kSeconds;
  pthread_t polling, threads[kThreads];
  int interrupted = 0;
  pthread_create(&polling, NULL, PollOften, &interrupted);
  while (time(NULL) < end) {
    for (int i = 0; i < kThreads; ++i) {
      pthread_create(&threads[i], NULL, Nothing, NULL);
    }
    for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  }
  stop = 1;
  pthread_join(polling, NULL);
  printf("interrupted %d\n", interrupted);
  return 0;
}

/* --- alternate stacks --- */

static sigjmp_buf before_fault;
static volatile sig_atomic_t faults;

static void OnFault(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  ++faults;
  Busy(2); /* long enough for the profiler to look at the handler */
  siglongjmp(before_fault, 1);
}

static void UseAlternateStack(size_t bytes) {
  stack_t stack;
  memset(&stack, 0, sizeof(stack));
  stack.ss_sp = malloc(bytes);
  stack.ss_size = bytes;
  if (sigaltstack(&stack, NULL) != 0) perror("sigaltstack");
}

/* Calls itself through a variable, which compilers do not warn of. */
static int Overflow(volatile char* above);
static int (*volatile overflow)(volatile char*) = Overflow;

static int Overflow(volatile char* above) {
  volatile char room[4000];
  room[0] = *above;
  return overflow(room) + room[0];
}

static int Fault(size_t bytes) {
  enum { kFaults = 100, kOverflows = 5 };
  volatile char byte = 0;
  UseAlternateStack(bytes);
  Handle(SIGSEGV, OnFault, SA_ONSTACK);
  for (volatile int i = 0; i < kFaults + kOverflows; ++i) {
    if (sigsetjmp(before_fault, 1) != 0) continue;
    Busy(1);
    if (i < kOverflows) {
      overflow(&byte);
    } else {
      *(volatile int*)16 = i;
    }
  }
  printf("faults %d\n", faults);
  return 0;
}

static int SpareStack(size_t bytes) {
  UseAlternateStack(bytes);
  Busy(300);
  puts("unused");
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const char* what = argv[1];
  const int amount = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(what, "timers") == 0) return Timers();
  if (strcmp(what, "urgent") == 0) return Urgent(amount);
  if (strcmp(what, "ignored") == 0) return Ignored();
  if (strcmp(what, "replaced") == 0) return Replaced();
  if (strcmp(what, "actions") == 0) return Actions();
  if (strcmp(what, "cancel") == 0) return Cancel();
  if (strcmp(what, "short-threads") == 0) return ShortThreads();
  if (strcmp(what, "fault") == 0) return Fault((size_t)amount);
  if (strcmp(what, "spare-stack") == 0) return SpareStack((size_t)amount);
  Busy(60);
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "kill") == 0) raise(SIGKILL);
  return 2;
}
