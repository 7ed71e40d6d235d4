#include "profiler/capture/own_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "profiler/threads/cpu_clock.h"

namespace wallprof::capture {
namespace {

constexpr char kIdleName[] = "wallprof-idle";

// The program may have pinned the thread that starts us, or made it real-time;
// we run where its main thread may, with ordinary priority.
void LeaveInheritedScheduling() {
  cpu_set_t cpus;
  if (sched_getaffinity(getpid(), sizeof(cpus), &cpus) == 0) {
    sched_setaffinity(0, sizeof(cpus), &cpus);
  }
  if (sched_getscheduler(0) != SCHED_OTHER) {
    const sched_param none = {};
    sched_setscheduler(0, SCHED_OTHER, &none);
  }
}

// While another thread is in exec the kernel starts no thread, with EAGAIN;
// that ends soon, one way or the other.
constexpr int kAttempts = 10;
constexpr timespec kBeforeNextAttempt = {0, 2'000'000};

// An error number, or 0. The thread inherits that every signal is blocked, so
// that it never has an unblocked moment; but for those that libc needs for
// itself, which pthread_sigmask leaves out: setuid would hang without.
int CreateThread(const ThreadStack& stack, void* (*main)(void*),
                 void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack.begin(), stack.size());
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    error = pthread_create(&thread, &attributes, main, argument);
    if (error != EAGAIN) break;
    nanosleep(&kBeforeNextAttempt, nullptr);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace

// A body on its way to its thread; the starter's.
struct OwnThreads::Launch {
  OwnThreads* threads;
  std::string name;
  std::function<void()> body;
  std::mutex mutex;
  std::condition_variable entered_changed;
  bool entered = false;
};

// A thread; its own.
struct OwnThreads::Worker {
  OwnThreads* threads;
  ThreadStack stack;  // the one it runs on
  std::mutex mutex;
  std::condition_variable launched;
  Launch* next = nullptr;
  std::shared_ptr<const std::function<void()>> duty;  // that was done last
};

void OwnThreads::Run(Launch& launch, threads::Tid tid) {
  pthread_setname_np(pthread_self(), launch.name.c_str());
  std::function<void()> body = std::move(launch.body);
  launch.threads->Enter(tid);
  {
    // Notified under the lock: the launcher frees the launch right after.
    std::lock_guard lock(launch.mutex);
    launch.entered = true;
    launch.entered_changed.notify_one();
  }
  body();
}

void* OwnThreads::Main(void* argument) {
  std::unique_ptr<Worker> worker(static_cast<Worker*>(argument));
  OwnThreads* threads = worker->threads;
  LeaveInheritedScheduling();
  const threads::Tid tid = threads::OwnTid();
  do {
    Run(*std::exchange(worker->next, nullptr), tid);
  } while (threads->Keep(*worker));
  threads->Leave(tid, std::move(worker->stack));
  return nullptr;
}

// Waits for the next body. False where threads are to end.
bool OwnThreads::Keep(Worker& worker) {
  if (!keep_) return false;
  pthread_setname_np(pthread_self(), kIdleName);
  std::unique_lock lock(worker.mutex);
  while (!EnterKept(worker)) (*worker.duty)();
  // From here on this object may be gone.
  worker.launched.wait(lock, [&] { return worker.next != nullptr; });
  return true;
}

// False where there is a duty to do first.
bool OwnThreads::EnterKept(Worker& worker) {
  std::lock_guard lock(mutex_);
  if (worker.duty != duty_) {
    worker.duty = duty_;
    return false;
  }
  kept_.push_back(&worker);
  --running_;
  changed_.notify_all();
  return true;
}

// Gives `launch` to a thread that waits for one, if there is any.
bool OwnThreads::HandToKept(Launch& launch, size_t stack_bytes) {
  Worker* worker = nullptr;
  {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(),
                                    [stack_bytes](const Worker* kept) {
                                      return kept->stack.size() >= stack_bytes;
                                    });
    if (found == kept_.end()) return false;
    worker = *found;
    kept_.erase(found);
    ++running_;
    ++starting_;
  }
  Hand(*worker, launch);
  return true;
}

void OwnThreads::Hand(Worker& worker, Launch& launch) {
  std::lock_guard lock(worker.mutex);
  worker.next = &launch;
  worker.launched.notify_one();
}

void OwnThreads::WaitUntilEntered(Launch& launch) {
  std::unique_lock lock(launch.mutex);
  launch.entered_changed.wait(lock, [&] { return launch.entered; });
}

void OwnThreads::OnEachIdle(std::function<void()> duty) {
  std::vector<Worker*> idle;
  {
    std::lock_guard lock(mutex_);
    duty_ = std::make_shared<const std::function<void()>>(std::move(duty));
    idle.swap(kept_);
    running_ += static_cast<int>(idle.size());
    starting_ += static_cast<int>(idle.size());
  }
  // Each does its duty when it has nothing to do any more, which is at once.
  for (Worker* worker : idle) {
    Launch launch{this, kIdleName, [] {}};
    Hand(*worker, launch);
    WaitUntilEntered(launch);
  }
}

absl::Status OwnThreads::Start(const std::string& name, size_t stack_bytes,
                               std::function<void()> body) {
  constexpr size_t kMaxName = 15;
  JoinEnded();
  Launch launch{this, name.substr(0, kMaxName), std::move(body)};
  if (!HandToKept(launch, stack_bytes)) {
    absl::StatusOr<ThreadStack> stack = ThreadStack::Allocate(stack_bytes);
    if (!stack.ok()) return stack.status();
    auto worker = std::make_unique<Worker>(this, *std::move(stack));
    worker->next = &launch;
    {
      std::lock_guard lock(mutex_);
      ++running_;
      ++starting_;
    }
    const int error = CreateThread(worker->stack, Main, worker.get());
    if (error != 0) {
      std::lock_guard lock(mutex_);
      --running_;
      --starting_;
      return absl::ErrnoToStatus(error, "starting thread " + name);
    }
    worker.release();  // the thread's
  }
  WaitUntilEntered(launch);
  return absl::OkStatus();
}

void OwnThreads::Enter(threads::Tid tid) {
  std::lock_guard lock(mutex_);
  --starting_;
  const bool kept = std::any_of(
      own_.begin(), own_.end(),
      [tid](const Own& own) { return own.tid == tid && !own.ended; });
  if (!kept) own_.push_back({tid, false});
}

void OwnThreads::Leave(threads::Tid tid, ThreadStack stack) {
  std::lock_guard lock(mutex_);
  ended_cpu_ns_ += std::max<int64_t>(threads::CpuTimeOf(tid), 0);
  for (Own& own : own_) {
    if (own.tid == tid && !own.ended) own.ended = true;
  }
  ended_.push_back({pthread_self(), std::move(stack)});
  --running_;
  changed_.notify_all();
}

void OwnThreads::JoinEnded() {
  std::vector<Ended> ended;
  {
    std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (const Ended& one : ended) pthread_join(one.thread, nullptr);
}

bool OwnThreads::Contains(threads::Tid tid) const {
  std::lock_guard lock(mutex_);
  return ContainsLocked(tid);
}

bool OwnThreads::MayContain(threads::Tid tid) const {
  std::lock_guard lock(mutex_);
  return starting_ > 0 || ContainsLocked(tid);
}

bool OwnThreads::ContainsLocked(threads::Tid tid) const {
  return std::any_of(own_.begin(), own_.end(),
                     [tid](const Own& own) { return own.tid == tid; });
}

int OwnThreads::count() const {
  std::lock_guard lock(mutex_);
  return running_ + static_cast<int>(kept_.size());
}

void OwnThreads::Prune(const std::vector<threads::Tid>& listed) {
  std::lock_guard lock(mutex_);
  own_.erase(std::remove_if(own_.begin(), own_.end(),
                            [&](const Own& own) {
                              return own.ended &&
                                     !std::binary_search(listed.begin(),
                                                         listed.end(), own.tid);
                            }),
             own_.end());
}

std::vector<threads::Tid> OwnThreads::AllEnded() const {
  std::lock_guard lock(mutex_);
  std::vector<threads::Tid> ended;
  for (const Own& own : own_) {
    if (own.ended) ended.push_back(own.tid);
  }
  return ended;
}

void OwnThreads::Forget(const std::vector<threads::Tid>& ended) {
  std::lock_guard lock(mutex_);
  own_.erase(std::remove_if(own_.begin(), own_.end(),
                            [&](const Own& own) {
                              return own.ended &&
                                     std::find(ended.begin(), ended.end(),
                                               own.tid) != ended.end();
                            }),
             own_.end());
}

int64_t OwnThreads::CpuTimeNs() const {
  std::lock_guard lock(mutex_);
  int64_t total = ended_cpu_ns_;
  for (const Own& own : own_) {
    if (!own.ended) {
      total += std::max<int64_t>(threads::CpuTimeOf(own.tid), 0);
    }
  }
  return total;
}

OwnThreads::~OwnThreads() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }
  JoinEnded();
}

bool EnterPrivateDescriptorTable() {
  // The flag is the kernel's; libc's header may be older.
  if (syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) != 0) {
    // Before Linux 5.9.
    if (unshare(CLONE_FILES) != 0) return false;
    const long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = 0; fd < limit; ++fd) close(fd);
  }
  // Whatever writes to standard error must not write into a file of ours.
  for (int fd = 0; fd < 3; ++fd) open("/dev/null", O_RDWR | O_CLOEXEC);
  return true;
}

}  // namespace wallprof::capture
