// What this kernel and this process's confinement allow, found out at start,
// and what is done where something is withheld.
#ifndef WALLPROF_PROFILER_CAPTURE_KERNEL_H_
#define WALLPROF_PROFILER_CAPTURE_KERNEL_H_

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "profiler/capture/own_threads.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

// Something withheld, and the next best way. As in wallprof/profiler.h.
struct Shortfall {
  std::string what;
  std::string why;
  std::string instead;
};

class Kernel {
 public:
  // On the sampler's thread, with its descriptor table.
  void Examine(threads::TaskDirectory& tasks);

  // Watches a thread wake 200 times, and says whether its CPU clock ever stood
  // still over a wake-up.
  // Takes about a third of a second: on a thread of its own. Starts a further
  // one with `threads`.
  void TestCpuClock(OwnThreads& threads);

  // /proc/.../syscall can be read, so blocked threads can be told.
  bool has_syscall_file() const { return has_syscall_file_; }

  // It can no longer, by `error`: the process has become non-dumpable.
  void LoseSyscallFile(int error);

  // Whether a thread's CPU clock tells that it has not run.
  enum class CpuClock {
    kUntested,  // believed of threads left alone, not of copies being taken
    kTrusted,
    kFails,  // the run count of schedstat is the witness
  };
  CpuClock cpu_clock() const {
    return cpu_clock_.load(std::memory_order_relaxed);
  }

  // CPU timers expire on the thread's own way to user mode.
  bool has_cpu_timers() const { return has_cpu_timers_; }

  void Add(Shortfall shortfall);
  std::vector<Shortfall> shortfalls() const;

 private:
  bool has_syscall_file_ = true;
  bool has_cpu_timers_ = true;
  bool has_run_count_ = true;
  std::atomic<CpuClock> cpu_clock_{CpuClock::kUntested};
  mutable std::mutex mutex_;
  std::vector<Shortfall> shortfalls_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_KERNEL_H_
