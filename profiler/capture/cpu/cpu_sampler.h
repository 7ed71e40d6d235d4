// The sampler of CPU time alone: reads what the kernel has sampled.
//
// A tick costs by the samples there are, not by the threads: of threads that
// are blocked nothing is asked, not even their clocks.
#ifndef WALLPROF_PROFILER_CAPTURE_CPU_CPU_SAMPLER_H_
#define WALLPROF_PROFILER_CAPTURE_CPU_CPU_SAMPLER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/capture/accountant.h"
#include "profiler/capture/any_sampler.h"
#include "profiler/capture/cpu/fill_watch.h"
#include "profiler/capture/cpu/perf_events.h"
#include "profiler/capture/kernel.h"
#include "profiler/capture/module_watch.h"
#include "profiler/capture/own_threads.h"
#include "profiler/stacks/recording.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/loader_watch.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/unwinder.h"

namespace wallprof::capture {

class CpuSampler : public AnySampler {
 public:
  // The arguments must outlive the sampler. `wake` is called, on another
  // thread, when WantsTick says true.
  CpuSampler(std::unique_ptr<PerfEvents> events, stacks::Recording& recording,
             OwnThreads& own_threads, threads::TaskDirectory& tasks,
             Kernel& kernel, unwind::LoaderWatch loader,
             std::function<void()> wake);

  ~CpuSampler() override;

  // Seldom, since it tells when a buffer fills; where it cannot, as often as
  // keeps them two thirds empty.
  int TicksPerSecond(int frequency_hz) const override;

  bool WantsTick() const override {
    return filled_.load(std::memory_order_relaxed);
  }

  // At `everyone`, and now and then, CPU time without samples is accounted too.
  void Tick(int64_t now_ns, bool everyone, bool targets) override;

  void CatchUp() override;

  // Reads of each thread what it is doing, without a stack.
  std::vector<ThreadView> Views() override;

  void ClearTable() override;

  void DoOnOthers(const std::function<void()>& duty) override {
    watch_.Do(duty);
  }

  size_t memory_bytes() const override;

 private:
  static constexpr uint32_t kNoRecord = UINT32_MAX;

  struct Thread {
    std::string name;
    int64_t reading = 0;  // in which it was met
    enum { kUnknown, kOwn, kProgram } whose = kUnknown;
    uint32_t record = kNoRecord;  // in the recording, since its first sample
  };

  void ReadRings();
  void Take(const PerfRecord& record);
  void TakeSample(const PerfSample& sample);
  void TakeFork(const PerfFork& fork);
  void SetName(Thread& thread, std::string name);
  Thread& ThreadOf(threads::Tid tid);
  bool IsPrograms(threads::Tid tid, Thread& thread);
  stacks::StackId StackOf(const PerfSample& sample);
  void ForgetEnded();
  std::vector<threads::Tid> OursThatAreGone() const;
  void AccountRest(int64_t used_ns);
  int64_t ProgramCpuNs() const;

  const std::unique_ptr<PerfEvents> events_;
  stacks::Recording& recording_;
  OwnThreads& own_threads_;
  threads::TaskDirectory& tasks_;
  unwind::Memory memory_;
  unwind::Unwinder unwinder_;
  ModuleWatch modules_;
  Accountant accountant_;
  unwind::Walk walk_;

  absl::flat_hash_map<threads::Tid, Thread> threads_;
  std::vector<threads::Tid> ended_;  // in the tick under way
  int64_t readings_ = 0;

  std::atomic<bool> filled_{false};
  int64_t whole_ns_ = 0;       // when time without samples was accounted
  const int64_t base_cpu_ns_;  // used before the start
  int64_t samples_ = 0;
  int64_t sampled_cpu_ns_ = 0;      // of all samples
  int64_t without_samples_ns_ = 0;  // as shown

  FillWatch watch_;  // last: its thread uses what stands above
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_CPU_CPU_SAMPLER_H_
