// The profiler's own threads: which they are, and how they are made.
//
// They are never sampled; their signals are blocked; and they share a table of
// file descriptors that is not the program's, so that nothing they open shows
// in the program's numbers, limits or forks.
#ifndef WALLPROF_PROFILER_CAPTURE_OWN_THREADS_H_
#define WALLPROF_PROFILER_CAPTURE_OWN_THREADS_H_

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "profiler/capture/thread_stack.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

class OwnThreads {
 public:
  // With `keep` no thread ever ends: one that is done waits for the next body,
  // or for ever. For where the program's allocator is not told of their end,
  // and would go on with what it keeps of them.
  explicit OwnThreads(bool keep = false) : keep_(keep) {}

  // Waits for all bodies to have returned; and unless threads are kept, for the
  // threads to have ended, with the destructors of what they keep for
  // themselves: those are code of libraries that may be unloaded next.
  ~OwnThreads();

  // Runs `body` on a new thread named `name` (at most 15 bytes are kept) with
  // `stack_bytes` of stack, and returns once the thread is known here. The new
  // thread shares the calling thread's descriptor table; so do those that are
  // kept, which are used for callers of one table alone.
  absl::Status Start(const std::string& name, size_t stack_bytes,
                     std::function<void()> body);

  // Runs `duty` on each thread that is kept without a body, and on others when
  // they have none any more. Returns once the former have begun to.
  void OnEachIdle(std::function<void()> duty);

  // Whether `tid` is one of ours, or was and may still be seen ending.
  bool Contains(threads::Tid tid) const;

  // The same, and true also of any thread while one of ours is being started,
  // which procfs lists before it is known here.
  bool MayContain(threads::Tid tid) const;

  // How many of ours there are now.
  int count() const;

  // Forgets ended threads that are no longer in `listed`, which is sorted.
  void Prune(const std::vector<threads::Tid>& listed);

  // Those that have ended and are not forgotten; and forgets such. For whoever
  // does not list threads.
  std::vector<threads::Tid> AllEnded() const;
  void Forget(const std::vector<threads::Tid>& ended);

  // CPU time of all of them, the ended ones included.
  int64_t CpuTimeNs() const;

 private:
  struct Own {
    threads::Tid tid;
    bool ended;
  };
  struct Ended {
    pthread_t thread;
    ThreadStack stack;
  };
  struct Launch;
  struct Worker;

  static void* Main(void* worker);
  static void Run(Launch& launch, threads::Tid tid);
  bool HandToKept(Launch& launch, size_t stack_bytes);
  static void Hand(Worker& worker, Launch& launch);
  static void WaitUntilEntered(Launch& launch);
  void Enter(threads::Tid tid);
  bool Keep(Worker& worker);
  bool EnterKept(Worker& worker);
  bool ContainsLocked(threads::Tid tid) const;
  void Leave(threads::Tid tid, ThreadStack stack);
  void JoinEnded();

  const bool keep_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Worker*> kept_;  // without a body; never destroyed
  std::shared_ptr<const std::function<void()>> duty_;
  std::vector<Own> own_;
  std::vector<Ended> ended_;  // are to be joined
  int running_ = 0;
  int starting_ = 0;
  int64_t ended_cpu_ns_ = 0;
};

// Gives the calling thread an empty descriptor table of its own, with
// /dev/null as 0, 1 and 2. From 0 on: a kept standard output would delay its
// reader's end of file. False where the kernel cannot.
bool EnterPrivateDescriptorTable();

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_OWN_THREADS_H_
