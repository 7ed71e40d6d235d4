// Tells when a ring buffer is half full, so that nobody has to look.
//
// The sampler cannot wait for that itself: it waits for those who ask it for
// something, on a futex, because they have another descriptor table.
#ifndef WALLPROF_PROFILER_CAPTURE_CPU_FILL_WATCH_H_
#define WALLPROF_PROFILER_CAPTURE_CPU_FILL_WATCH_H_

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <vector>

#include "profiler/capture/own_threads.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::capture {

// A thread of ours that sleeps in poll(2).
class FillWatch {
 public:
  // Calls `wake` from then on when one of `events`, each of which has a ring
  // buffer, gets there. The descriptors are of the calling thread's table.
  FillWatch(OwnThreads& own_threads, const std::vector<int>& events,
            std::function<void()> wake);
  FillWatch(const FillWatch&) = delete;
  FillWatch& operator=(const FillWatch&) = delete;

  // Returns when the last `wake` has.
  ~FillWatch();

  // False where no thread could be started, the kernel lets it wait no more, or
  // an event has no thread any more and so nothing to tell: then somebody has
  // to look.
  bool works() const { return works_.load(std::memory_order_relaxed); }

  // Runs `duty` soon on the thread, if there still is one; of several that it
  // has not got to, the last.
  void Do(std::function<void()> duty);

 private:
  void Run(std::vector<int> events);
  void Call();
  void DoDuty();

  const std::function<void()> wake_;
  threads::FileDescriptor called_;  // readable when there is something to do
  std::atomic<bool> ending_{false};
  std::atomic<bool> works_{false};
  std::mutex mutex_;  // guards what follows
  std::function<void()> duty_;
  std::future<void> ended_;  // where a thread was started
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_CPU_FILL_WATCH_H_
