// What a session's thread runs: the sampler of the wall clock, or that of CPU
// time alone.
#ifndef WALLPROF_PROFILER_CAPTURE_ANY_SAMPLER_H_
#define WALLPROF_PROFILER_CAPTURE_ANY_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "profiler/stacks/stack_table.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

// A thread as the last look found it; for /threads.
struct ThreadView {
  threads::Tid tid = 0;
  std::string name;
  stacks::ThreadState state = stacks::ThreadState::kRunning;
  uint16_t wait = stacks::kNoWait;
  int64_t in_state_ns = 0;
  int64_t cpu_ns = 0;
  bool truncated = false;
  stacks::StackId stack = stacks::kNoStack;
  uint64_t lock = 0;         // address of the one that it waits for; 0: none
  threads::Tid held_by = 0;  // who has that; 0: nobody
};

// For the session's thread alone, and made on it.
class AnySampler {
 public:
  virtual ~AnySampler() = default;

  // How often Tick is to be called while the rate is `frequency_hz`.
  virtual int TicksPerSecond(int frequency_hz) const = 0;

  // Whether a tick is wanted before its time. From any thread.
  virtual bool WantsTick() const { return false; }

  // At `everyone` all threads' time is known up to `now_ns` afterwards.
  // `targets`: what blocked threads wait for is wanted from this tick on; it
  // should then be one for everyone.
  virtual void Tick(int64_t now_ns, bool everyone, bool targets) = 0;

  // Accounts up to the last tick what was left for later.
  virtual void CatchUp() = 0;

  virtual std::vector<ThreadView> Views() = 0;

  // Forgets stacks and threads, between ticks.
  virtual void ClearTable() = 0;

  // Runs `duty` soon on the threads that the sampler has beside the session's.
  virtual void DoOnOthers(const std::function<void()>& /*duty*/) {}

  // Anonymous memory that grows with the number of threads or CPUs.
  virtual size_t memory_bytes() const = 0;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_ANY_SAMPLER_H_
