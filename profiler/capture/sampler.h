// The sampler: at each tick, a look at each thread.
#ifndef WALLPROF_PROFILER_CAPTURE_SAMPLER_H_
#define WALLPROF_PROFILER_CAPTURE_SAMPLER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/capture/accountant.h"
#include "profiler/capture/any_sampler.h"
#include "profiler/capture/file_cache.h"
#include "profiler/capture/interrupter.h"
#include "profiler/capture/kernel.h"
#include "profiler/capture/lock_waits.h"
#include "profiler/capture/look_budget.h"
#include "profiler/capture/module_watch.h"
#include "profiler/capture/observed_thread.h"
#include "profiler/capture/outside_look.h"
#include "profiler/capture/own_threads.h"
#include "profiler/capture/stack_regions.h"
#include "profiler/capture/wait_targets.h"
#include "profiler/stacks/recording.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/loader_watch.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/unwinder.h"

namespace wallprof::capture {

// For the sampler's thread alone, and made on it.
class Sampler : public AnySampler {
 public:
  // The arguments must outlive the sampler.
  Sampler(stacks::Recording& recording, OwnThreads& own_threads,
          threads::TaskDirectory& tasks, Interrupter& interrupter,
          Kernel& kernel, unwind::LoaderWatch loader,
          const LockFunctions& lock_functions);

  ~Sampler() override;

  // One tick a look.
  int TicksPerSecond(int frequency_hz) const override { return frequency_hz; }

  // One look at each thread whose turn it is; at `everyone`, at all.
  // `targets`: what blocked threads wait for is wanted from this tick on; it
  // should then be one for everyone.
  void Tick(int64_t now_ns, bool everyone, bool targets) override;

  // Accounts up to the last tick what threads have done that were left out
  // since their last look and have not run.
  void CatchUp() override;

  std::vector<ThreadView> Views() override;

  // Forgets stacks, and looks at every thread anew.
  void ClearTable() override;

  // As of the last listing of threads.
  size_t memory_bytes() const override { return thread_bytes_; }

 private:
  using ThreadMap =
      absl::flat_hash_map<threads::Tid, std::unique_ptr<ObservedThread>>;

  void SetModules(const std::string& maps);
  void UpdateRegions();

  void UpdateThreads();
  void AddThread(threads::Tid tid);
  void UpdateLabels();
  void RefreshName(ObservedThread& thread);
  void End(ObservedThread& thread);
  void RemoveEnded();

  bool NobodyRan();
  bool LookAtAllDue(bool everyone);
  void Look(ObservedThread& thread);
  bool DeniedOfOneOnly();
  bool ReadWitness(const ObservedThread& thread, Witness& witness);
  bool HasNotRun(const ObservedThread& thread);
  ObservedThread* FindThread(threads::Tid tid);
  void LookBlocked(ObservedThread& thread, const threads::SyscallState& state);
  void LookRunning(ObservedThread& thread);
  std::optional<threads::SchedStat> ReadSched(const ObservedThread& thread);
  void AddWaits(ObservedThread& thread);
  void UpdateShare(ObservedThread& thread);
  void LookUnseen(ObservedThread& thread);
  void LookBySignal(ObservedThread& thread);
  void EnterBlocked(ObservedThread& thread, stacks::StackId stack,
                    stacks::ThreadState state, uint16_t wait);
  stacks::StackId TargetOf(const ObservedThread& thread,
                           const threads::SyscallState& state);
  void AddTargets();
  bool NeedsRegions(const ObservedThread& thread) const;
  void Take(ObservedThread& thread, const Request& answer);
  void SetState(ObservedThread& thread, stacks::ThreadState state,
                uint16_t wait);
  void AccountExited();

  stacks::Recording& recording_;
  OwnThreads& own_threads_;
  threads::TaskDirectory& tasks_;
  Interrupter& interrupter_;
  Kernel& kernel_;
  unwind::LoaderWatch loader_;
  ModuleWatch modules_;
  unwind::Memory memory_;
  unwind::Unwinder unwinder_;
  OutsideLook outside_;
  Accountant accountant_;
  LockWaits lock_waits_;
  WaitTargets wait_targets_;
  FileCache files_;
  StackRegions regions_;
  unwind::Walk walk_;
  std::minstd_rand random_;

  // Apart from the threads, so that those left out cost no memory access.
  struct Turn {
    ObservedThread* thread;
    int64_t due_ns;  // not looked at before
  };

  LookBudget budget_;
  ThreadMap threads_;
  std::vector<Turn> order_;
  std::vector<threads::Tid> listed_;
  bool targets_wanted_ = false;
  bool first_listing_ = true;
  bool list_again_ = true;
  int last_hint_ = -1;
  int64_t last_listing_ns_ = 0;
  int64_t listing_cost_ns_ = 0;
  size_t thread_bytes_ = 0;

  int64_t program_cpu_ns_ = 0;  // see NobodyRan
  int64_t now_ns_ = 0;          // of the tick under way
  int64_t previous_ns_ = 0;     // of the tick before
  int64_t tick_ = 0;

  uint64_t labels_generation_ = 0;
  bool regions_wanted_ = false;

  bool some_ended_ = false;
  bool exited_due_ = true;       // [exited] is behind
  int64_t exited_at_ns_ = 0;     // when it was brought up to date
  int64_t ended_cpu_ns_ = 0;     // last known clocks of ended threads
  int64_t exited_base_ns_ = 0;   // process CPU time before the first tick
  int64_t exited_shown_ns_ = 0;  // what [exited] has
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SAMPLER_H_
