// Sampling under way: the sampler's thread, and what others ask of it.
#ifndef WALLPROF_PROFILER_CAPTURE_SESSION_H_
#define WALLPROF_PROFILER_CAPTURE_SESSION_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "profiler/capture/any_sampler.h"
#include "profiler/capture/interrupter.h"
#include "profiler/capture/kernel.h"
#include "profiler/capture/own_threads.h"
#include "profiler/stacks/recording.h"
#include "profiler/stacks/snapshot.h"
#include "profiler/threads/privileges.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/loader_watch.h"

namespace wallprof::capture {

class Session;

struct SessionOptions {
  int frequency_hz = 0;
  int signal = 0;
  size_t recording_bytes = 0;
  size_t request_bytes = 0;
  // Where the recording is made, if not in anonymous memory: a file that
  // another process reads.
  int recording_fd = -1;
  // The table is never emptied, even when nobody measures: somebody wants it
  // whole at the end.
  bool keep_everything = false;
  bool keep_threads = false;  // see OwnThreads
  // Only CPU time is measured; threads that do not run are left alone.
  bool cpu_only = false;
  // Runs on a thread of the profiler's own, beside the sampler, in every
  // process that has one. Returns soon after Stop. May be empty.
  std::function<void(Session&)> companion;
};

// Created, it samples; destroyed, it has stopped. Thread-safe.
class Session {
 public:
  // LibUnwind must be loaded.
  static absl::StatusOr<std::unique_ptr<Session>> Start(
      const SessionOptions& options, unwind::LoaderWatch loader);
  ~Session();

  // Ends measurements that wait, with Cancelled. Idempotent.
  void Stop();

  struct MeasureOptions {
    int frequency_hz = 0;  // at least; 0: the session's own
    bool targets = false;  // samples that wait say what for
    // Asked every 50 ms whether nobody wants the result any more, and whether
    // what there is will do; may be empty.
    std::function<bool()> cancelled;
    std::function<bool()> enough;
  };

  // Measures from the last tick (with `targets`, or of CPU time alone, from the
  // next) to the first one `duration` after it, and gives `use` the result
  // while the recording still holds its stacks.
  absl::Status Measure(
      absl::Duration duration, const MeasureOptions& options,
      const std::function<void(const stacks::Measurement&)>& use);

  // The same for everything since the start or the last emptying.
  absl::Status MeasureAll(
      const std::function<void(const stacks::Measurement&)>& use);

  // Every thread as the last look found it. `use` runs on the sampler's
  // thread, between ticks.
  absl::Status VisitThreads(
      const std::function<void(const std::vector<ThreadView>&)>& use);

  // Ends the slice under way, if somebody measures in slices (SliceReader).
  void EndSlice();

  // Runs `body` on a thread of the profiler's own; see OwnThreads.
  absl::Status RunPrivately(const std::string& name,
                            std::function<void()> body);

  // The same, but with the calling thread's descriptor table.
  // FailedPrecondition where threads are kept: those are all of one table.
  absl::Status RunUnsampled(const std::string& name,
                            std::function<void()> body);

  // See Interrupter::KeepOff. While the session is parked.
  void KeepOff(threads::Tid tid, bool off) {
    if (interrupter_ != nullptr) interrupter_->KeepOff(tid, off);
  }

  const stacks::Recording& recording() const { return *recording_; }
  const Kernel& kernel() const { return kernel_; }
  int frequency_hz() const { return frequency_hz_; }
  bool cpu_only() const { return options_.cpu_only; }
  // What samples; as in Statistics.
  const char* source() const { return source_; }
  int64_t memory_bytes() const;
  int64_t own_cpu_ns() const { return own_threads_.CpuTimeNs(); }

  // Around fork, in the parent: the sampler is outside every lock in between.
  void Park() { tick_mutex_.lock(); }
  void Unpark() { tick_mutex_.unlock(); }

 private:
  friend class SliceReader;

  // The sampler's deepest moment is reading the headers of a new module.
  static constexpr size_t kSamplerStack = 256 << 10;

  // Symbols are resolved and profiles encoded on these.
  static constexpr size_t kPrivateStack = size_t{1} << 20;

  Session(const SessionOptions& options, unwind::LoaderWatch loader);

  absl::Status MakeInterrupter();
  void AwaitSampler();
  void Main();
  std::unique_ptr<AnySampler> MakeSampler();
  std::unique_ptr<AnySampler> MakeCpuSampler();
  void Loop(AnySampler& sampler);
  bool IsDue(int64_t now_ns, int64_t deadline_ns);
  int64_t NextAskedNs() const;
  void SleepUntil(const AnySampler& sampler, int64_t deadline_ns);
  void Wake();
  void RunTasks(AnySampler& sampler);
  bool MayBeEmptied() const;
  void EmptyIfFull(AnySampler& sampler);
  void StartCompanion();
  void TestClockOnce();
  void FollowPrivileges(AnySampler& sampler, int64_t now_ns);
  absl::Status RunOnSampler(std::function<void(AnySampler&)> task);
  absl::Status WaitForTick(int64_t time_ns,
                           const std::function<bool()>& cancelled);
  absl::StatusOr<stacks::Snapshot> SnapshotFrom(
      int64_t time_ns, const std::function<bool()>& cancelled);
  bool WantsEveryone(int64_t now_ns);
  bool WantsTargets();
  stacks::StackId NotSampled();

  class ScopedReader;    // keeps the table from being emptied, and a rate
  class ScopedEveryone;  // from a time on, ticks look at all threads
  class ScopedTargets;   // samples that wait say what for

  const SessionOptions options_;
  const unwind::LoaderWatch loader_;
  const LockFunctions lock_functions_ = LockFunctions::Find();
  std::unique_ptr<stacks::Recording> recording_;
  threads::TaskDirectory tasks_;
  std::unique_ptr<Interrupter> interrupter_;
  Kernel kernel_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint32_t> wake_ups_{0};  // a futex
  std::atomic<int> frequency_hz_;      // now
  std::atomic<int64_t> sampler_bytes_{0};
  std::atomic<const char*> source_{"looks"};
  bool clock_tested_ = false;
  threads::Privileges privileges_;  // as last seen of the main thread
  int64_t privileges_read_ns_ = 0;

  // Held by the sampler during a tick, and by fork.
  std::mutex tick_mutex_;

  std::mutex mutex_;                 // guards what follows
  std::condition_variable stopped_;  // or somebody is done
  std::vector<std::function<void(AnySampler&)>> posted_;
  bool sampler_made_ = false;
  bool sampler_ended_ = false;
  bool slice_end_wanted_ = false;
  int targets_wanted_ = 0;    // by so many readers
  int waiting_ = 0;           // for the sampler to run what they posted
  std::multiset<int> rates_;  // of the readers
  std::multiset<int64_t> everyone_from_ns_;
  int64_t last_everyone_ns_ = 0;  // when a tick was last for everyone

  // Last, since its destructor waits for threads that use all of the above.
  OwnThreads own_threads_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SESSION_H_
