/* The object that is preloaded: decides whether this process is profiled, loads
 * the engine, and sees to it that the profile is written however the program
 * ends. See docs/preload.md for why it is made of two objects.
 *
 * Runs in any program: libc only, no thread of its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fleet/bundle/libc_allocator.h"
#include "profiler/preload/engine.h"
#include "profiler/preload/program_signals.h"

#define EXPORT __attribute__((visibility("default")))

static const char kEngineName[] = "libwallprof_engine.so";

/* Value of WALLPROF_PID when no process is to be profiled. */
static const char kNobody[] = "0";

/* Programs that cannot do what they are for with a second thread: unshare of
 * user namespaces and setns answer EINVAL; and capabilities are a thread's own,
 * so that setgroups after a change of them fails on one and not on the other,
 * upon which libc aborts. */
static const char* const kSingleThreaded[] = {
    "unshare",   "nsenter",   "bwrap",   "runc", "crun",
    "newuidmap", "newgidmap", "setpriv", "capsh"};

/* The process that the engine runs in; 0: none. A child has another number,
 * also one made by vfork, which shares this variable. */
static pid_t engine_pid;

static struct {
  __typeof__(&wallprof_engine_start) start;
  __typeof__(&wallprof_engine_finish) finish;
  struct wallprof_engine_signals signals;
  __typeof__(&wallprof_engine_before_fork) before_fork;
  __typeof__(&wallprof_engine_after_fork_in_parent) after_fork_in_parent;
  __typeof__(&wallprof_engine_after_fork_in_child) after_fork_in_child;
} engine;

static struct wallprof_request request;
static int children_too;

/* The thread that writes the profile, and whether it has. */
static _Atomic pid_t finisher;
static _Atomic int finished; /* a futex */

/* Of the one thread that is forking. */
static sigset_t mask_before_fork;

/* The thread that is in daemon(3); its process ends by an _exit of libc's own,
 * as soon as it has forked. */
static _Atomic pid_t becoming_daemon;

static void Complain(const char* what, const char* detail) {
  dprintf(STDERR_FILENO, "wallprof: %s%s%s; the program runs unprofiled\n",
          what, detail[0] != '\0' ? ": " : "", detail);
}

/* Those of libc. A program may have its own of these names, as bash does, which
 * know its variables instead of its environment. */
static __typeof__(&getenv) libc_getenv;
static __typeof__(&setenv) libc_setenv;

static const char* Variable(const char* name) {
  const char* value = libc_getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A copy, since a forked child asks again: by then the program may have freed
 * its environment, or written its title over it. Lives as long as the program.
 */
static const char* Copy(const char* value) {
  return value != NULL ? strdup(value) : NULL;
}

/* The engine lies beside this object. */
static int EnginePath(char* path, size_t size) {
  Dl_info self;
  if (dladdr(&engine_pid, &self) == 0 || self.dli_fname == NULL) return -1;
  const char* slash = strrchr(self.dli_fname, '/');
  const int directory = slash == NULL ? 0 : (int)(slash - self.dli_fname) + 1;
  const int n =
      snprintf(path, size, "%.*s%s", directory, self.dli_fname, kEngineName);
  return n > 0 && (size_t)n < size ? 0 : -1;
}

static int LoadEngine(void) {
  char path[PATH_MAX];
  if (EnginePath(path, sizeof(path)) != 0) {
    Complain("cannot tell where the preloaded object lies", "");
    return -1;
  }
  void* library = dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    Complain("cannot load the engine", dlerror());
    return -1;
  }
  engine.start = dlsym(library, "wallprof_engine_start");
  engine.finish = dlsym(library, "wallprof_engine_finish");
  engine.signals.owns = dlsym(library, "wallprof_engine_owns_signal");
  engine.signals.set_program_action =
      dlsym(library, "wallprof_engine_set_program_action");
  engine.signals.keep_off = dlsym(library, "wallprof_engine_keep_off");
  engine.before_fork = dlsym(library, "wallprof_engine_before_fork");
  engine.after_fork_in_parent =
      dlsym(library, "wallprof_engine_after_fork_in_parent");
  engine.after_fork_in_child =
      dlsym(library, "wallprof_engine_after_fork_in_child");
  if (engine.start == NULL || engine.finish == NULL ||
      engine.signals.owns == NULL ||
      engine.signals.set_program_action == NULL ||
      engine.signals.keep_off == NULL || engine.before_fork == NULL ||
      engine.after_fork_in_parent == NULL ||
      engine.after_fork_in_child == NULL) {
    Complain("the engine is of another version", path);
    return -1;
  }
  return 0;
}

static void* Nothing(void* argument) { return argument; }

/* The engine's libc starts threads of which this libc knows nothing: it would
 * go on with its shortcuts for a single thread. A thread of its own tells it.
 */
static void TellLibcOfThreads(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, Nothing, NULL) == 0) {
    pthread_join(thread, NULL);
  }
}

/* With its first thread a libc takes over the signal by which setuid reaches
 * all threads. The engine's must not: setuid is called in this one. */
static int StartKeepingSetxid(char* error, size_t size) {
  enum { kSetxidSignal = 33, kKernelSigactionBytes = 32, kMaskBytes = 8 };
  char before[kKernelSigactionBytes];
  const long saved =
      syscall(SYS_rt_sigaction, kSetxidSignal, NULL, before, kMaskBytes);
  const int result = engine.start(&request, error, size);
  if (saved == 0) {
    syscall(SYS_rt_sigaction, kSetxidSignal, before, NULL, kMaskBytes);
  }
  return result;
}

static void StartEngine(void) {
  char error[512] = "";
  if (LoadEngine() != 0) return;
  TellLibcOfThreads();
  if (StartKeepingSetxid(error, sizeof(error)) != 0) {
    Complain(error, "");
    return;
  }
  engine_pid = getpid();
  HideSignals(&engine.signals);
}

static pid_t OwnTid(void) { return (pid_t)syscall(SYS_gettid); }

/* Ends the engine once. A second thread that ends the program meanwhile waits,
 * or it would cut the file short; a signal handler in the midst of it does not.
 */
static void Finish(void) {
  if (engine_pid == 0 || engine_pid != getpid()) return;
  const pid_t self = OwnTid();
  pid_t other = 0;
  if (atomic_compare_exchange_strong(&finisher, &other, self)) {
    /* Cancelled half way, nobody would wake the others. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    engine.finish();
    finished = 1;
    syscall(SYS_futex, &finished, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
  } else if (other != self) {
    while (!finished) {
      syscall(SYS_futex, &finished, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
  }
}

/* No signal handler runs in between: one that forks or exits would wait for
 * the fork that it interrupted. */
static void BeforeFork(void) {
  sigset_t all, before;
  if (engine_pid == 0) return;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  engine.before_fork();
  mask_before_fork = before;
}

static void AfterForkInParent(void) {
  if (engine_pid == 0) return;
  const sigset_t before = mask_before_fork;
  engine.after_fork_in_parent();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (becoming_daemon == OwnTid()) Finish();
}

static void AfterForkInChild(void) {
  if (engine_pid == 0) return;
  engine.after_fork_in_child();
  engine_pid = 0;
  finisher = 0;
  finished = 0;
  becoming_daemon = 0;
  RestoreSignalsInChild();
  /* A fresh engine in a namespace of its own: what the old one's threads held
   * when they vanished does not matter to it. */
  if (children_too) StartEngine();
  pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
}

/* Whether a limit leaves enough for the engine, which takes about 100 MiB, and
 * for the program. Where memory ends while it starts, nothing can be relied on.
 */
static int LeavesEnough(int resource, unsigned long used_pages) {
  enum { kNeededMebibytes = 256 };
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return 1;
  }
  const unsigned long used = used_pages * (unsigned long)sysconf(_SC_PAGESIZE);
  return limit.rlim_cur > used &&
         (limit.rlim_cur - used) >> 20 >= kNeededMebibytes;
}

static int HasMemory(void) {
  unsigned long size = 0, data = 0;
  FILE* file = fopen("/proc/self/statm", "re");
  if (file == NULL) return 0;
  const int read = fscanf(file, "%lu %*u %*u %*u %*u %lu", &size, &data);
  fclose(file);
  return read == 2 && LeavesEnough(RLIMIT_AS, size) &&
         LeavesEnough(RLIMIT_DATA, data);
}

/* NULL, or why this program is not profiled although it was asked for. */
static const char* Unfit(void) {
  if (dlsym(RTLD_DEFAULT, "__asan_init") != NULL ||
      dlsym(RTLD_DEFAULT, "__tsan_init") != NULL ||
      dlsym(RTLD_DEFAULT, "__msan_init") != NULL) {
    return "the program is built with a sanitizer";
  }
  if (!HasMemory()) return "its memory is limited to too little";
  dlerror(); /* the program's next call of it must not tell of ours */
  for (size_t i = 0; i < sizeof(kSingleThreaded) / sizeof(char*); ++i) {
    if (strcmp(program_invocation_short_name, kSingleThreaded[i]) == 0) {
      return "the program must stay single-threaded";
    }
  }
  return NULL;
}

/* NULL, or why no process can be given what was asked for. */
static const char* Contradiction(void) {
  if (!children_too) return NULL;
  if (request.output != NULL && strstr(request.output, "%p") == NULL) {
    return "WALLPROF_CHILDREN=1 needs %p in WALLPROF_OUTPUT";
  }
  if (request.listen != NULL) {
    const char* colon = strrchr(request.listen, ':');
    if (strcmp(colon == NULL ? request.listen : colon + 1, "0") != 0) {
      return "WALLPROF_CHILDREN=1 needs port 0 in WALLPROF_LISTEN";
    }
  }
  return NULL;
}

/* A relative path is of the directory that the first image was started in. */
static void MakeAbsolute(const char* variable) {
  const char* relative = Variable(variable);
  char directory[PATH_MAX];
  if (relative == NULL || relative[0] == '/' ||
      getcwd(directory, sizeof(directory)) == NULL) {
    return;
  }
  char path[2 * PATH_MAX];
  const int n = snprintf(path, sizeof(path), "%s/%s", directory, relative);
  if (n > 0 && (size_t)n < sizeof(path)) libc_setenv(variable, path, 1);
}

/* True of the first image, which sets the variable, and of those that it
 * execs in place; of children only if they were asked for. */
static int IsMeant(void) {
  char pid[16];
  snprintf(pid, sizeof(pid), "%d", getpid());
  const char* meant = Variable("WALLPROF_PID");
  if (meant == NULL) {
    libc_setenv("WALLPROF_PID", pid, 1);
    MakeAbsolute("WALLPROF_OUTPUT");
    MakeAbsolute("WALLPROF_RECORD_DIR");
    MakeAbsolute("WALLPROF_BUNDLE_DIR");
    return 1;
  }
  if (strcmp(meant, kNobody) == 0) return 0;
  return strcmp(meant, pid) == 0 || children_too;
}

/* libc's numbers are of no use where the program has another allocator. */
static __typeof__(&mallinfo2) Mallinfo(void) {
  __typeof__(&mallinfo2) found = NULL;
  if (AllocatorIsLibcs()) {
    found = (__typeof__(&mallinfo2))dlsym(RTLD_DEFAULT, "mallinfo2");
  }
  dlerror(); /* as in Unfit */
  return found;
}

static void StartIfAsked(void) {
  libc_getenv = (__typeof__(&getenv))dlsym(RTLD_NEXT, "getenv");
  libc_setenv = (__typeof__(&setenv))dlsym(RTLD_NEXT, "setenv");
  if (Variable("WALLPROF_LISTEN") == NULL &&
      Variable("WALLPROF_OUTPUT") == NULL &&
      Variable("WALLPROF_RECORD_DIR") == NULL &&
      Variable("WALLPROF_BUNDLE_DIR") == NULL &&
      Variable("WALLPROF_RECORDING") == NULL) {
    return;
  }
  const char* children = Variable("WALLPROF_CHILDREN");
  children_too = children != NULL && strcmp(children, "1") == 0;
  if (!IsMeant()) return;
  const char* unfit = Unfit();
  if (unfit != NULL) {
    Complain(unfit, "");
    return;
  }
  request.listen = Copy(Variable("WALLPROF_LISTEN"));
  request.output = Copy(Variable("WALLPROF_OUTPUT"));
  request.hz = Copy(Variable("WALLPROF_HZ"));
  request.view = Copy(Variable("WALLPROF_VIEW"));
  request.cpu_only = Copy(Variable("WALLPROF_CPU_ONLY"));
  request.record = Copy(Variable("WALLPROF_RECORD"));
  request.record_dir = Copy(Variable("WALLPROF_RECORD_DIR"));
  request.recording = Copy(Variable("WALLPROF_RECORDING"));
  request.bundle_dir = Copy(Variable("WALLPROF_BUNDLE_DIR"));
  request.bundle_process = Copy(Variable("WALLPROF_BUNDLE_PROCESS"));
  request.mallinfo = Mallinfo();
  const char* contradiction = Contradiction();
  if (contradiction != NULL) {
    Complain(contradiction, "");
  } else {
    StartEngine();
  }
  if (engine_pid == 0) {
    /* It was said once; what this image execs need not say it again. */
    libc_setenv("WALLPROF_PID", kNobody, 1);
    return;
  }
  pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
  /* Registered before anything of the program's, so run after it. */
  atexit(Finish);
  at_quick_exit(Finish);
}

__attribute__((constructor)) static void Start(void) {
  const int saved_errno = errno;
  LibcSignals(); /* found now, since a handler may want them */
  StartIfAsked();
  errno = saved_errno;
}

/* Programs that end without exit (dash does) pass here. */
EXPORT void _exit(int status) {
  Finish();
  for (;;) syscall(SYS_exit_group, status);
}

EXPORT void _Exit(int status) { _exit(status); }

EXPORT int daemon(int stay_in_directory, int keep_streams) {
  const __typeof__(&daemon) libc_daemon =
      (__typeof__(&daemon))dlsym(RTLD_NEXT, "daemon");
  becoming_daemon = OwnTid();
  const int result = libc_daemon(stay_in_directory, keep_streams);
  becoming_daemon = 0;
  return result;
}

/* The runtime of gcc's address sanitizer ends programs in which it is not the
 * first library, unless told not to look. The program's own definition, if it
 * has one, is found before this one. */
EXPORT const char* __asan_default_options(void);
EXPORT const char* __asan_default_options(void) {
  return "verify_asan_link_order=0";
}
