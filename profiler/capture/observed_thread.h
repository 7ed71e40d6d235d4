// What the sampler knows of one thread of the program.
#ifndef WALLPROF_PROFILER_CAPTURE_OBSERVED_THREAD_H_
#define WALLPROF_PROFILER_CAPTURE_OBSERVED_THREAD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "profiler/capture/lock_owner.h"
#include "profiler/capture/signal/request.h"
#include "profiler/stacks/stack_table.h"
#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/unwinder.h"

namespace wallprof::capture {

// By what a thread is known not to have run since the last look.
struct Witness {
  int64_t cpu_ns = -1;     // its CPU clock
  uint64_t run_count = 0;  // of schedstat; 0 where the clock suffices

  friend bool operator==(const Witness&, const Witness&) = default;
};

// The last outside walk, and what it depended on.
struct StackMemo {
  uint64_t sp = 0;
  uint64_t pc = 0;
  int syscall = -1;
  stacks::StackId stack = stacks::kNoStack;
  bool complete = false;
  std::vector<unwind::StackWord> words;  // empty: cannot be used again
};

// Where the time around a look goes.
struct Place {
  enum class Kind {
    kNone,      // no look yet
    kEntry,     // a known stack: `entry`
    kPending,   // runs, and has not answered yet
    kAnswered,  // ran, and answered with `stack`
  };
  Kind kind = Kind::kNone;
  stacks::EntryId entry = stacks::kNoRoom;
  stacks::StackId stack = stacks::kNoStack;
  uint32_t labels = 0;  // with `stack`
};

// Why a running thread's stack is not asked for.
enum class Untouchable : uint8_t { kNo, kMasked, kSmallStack };

// How a stretch of running-or-runnable time divides, in CPU and run-queue
// nanoseconds of the scheduler.
struct RunShare {
  int64_t run_ns = 0;
  int64_t delay_ns = 0;

  // The part of `wall_ns` spent on a CPU; all of it when nothing is known.
  int64_t Running(int64_t wall_ns) const;
};

// Who holds what a thread waits for, who holds what that one waits for, and so
// on; 0 where the owner is not known.
struct HolderChain {
  static constexpr int kMaxLinks = 4;
  std::array<threads::Tid, kMaxLinks> links{};
  int count = 0;

  threads::Tid last() const { return links[static_cast<size_t>(count - 1)]; }
  friend bool operator==(const HolderChain&, const HolderChain&) = default;
};

// A wait for a lock, from the look that found it on. See lock_waits.h.
struct LockWait {
  std::optional<Lock> lock;  // nullopt: the thread waits for none
  stacks::StackId stack = stacks::kNoStack;  // the waiter's
  int64_t credited_ns = 0;                   // up to when it is accounted
  stacks::EntryId pair =
      stacks::kNoRoom;  // where it goes; kNoRoom: see pending
  HolderChain chain;    // at the last tick

  // Time that goes where the holder's answer will tell: to one that came after
  // `pending_tick`.
  int64_t pending_ns = 0;
  int64_t pending_samples = 0;
  int64_t pending_tick = 0;
};

struct ObservedThread {
  threads::Tid tid = 0;
  uint64_t start_ticks = 0;  // tells apart threads of the same number
  uint32_t record = 0;       // in the recording
  bool listed = true;        // found by the last listing
  bool ended = false;        // a zombie: the main thread after pthread_exit

  // --- the last look ---------------------------------------------------------
  Witness witness;
  bool settled = false;  // `place` stands for as long as the witness does
  Place place;
  int64_t last_look_ns = 0;
  int64_t last_look_tick = 0;
  int64_t moved_ns = 0;     // when a look last found that it had run
  int64_t next_gap_ns = 0;  // see look_gap.h
  int64_t added_ns = 0;     // when it was first seen
  int64_t name_read_ns = 0;
  threads::SchedStat sched;
  bool sched_known = false;
  // Of the last look, if that found it running: then the waits since are known.
  int64_t delay_at_look_ns = -1;
  RunShare share;  // between its last two answers

  // --- for /threads ----------------------------------------------------------
  stacks::ThreadState state = stacks::ThreadState::kRunning;
  uint16_t wait = stacks::kNoWait;
  stacks::StackId stack = stacks::kNoStack;
  bool truncated = false;
  int64_t state_since_ns = 0;

  // --- blocked ---------------------------------------------------------------
  StackMemo memo;
  // What it waits for, if that is wanted; see wait_targets.h.
  stacks::StackId target = stacks::kNoStack;
  size_t copy_bytes = 0;  // how much of the stack the last walk needed
  LockWait lock_wait;

  // --- running ---------------------------------------------------------------
  // Time not yet on a stack: until the answer comes.
  int64_t pending_samples = 0;
  int64_t pending_cpu_ns = 0;
  int64_t pending_wall_ns = 0;

  class RequestSlot* slot = nullptr;  // the interrupter's, while it has one
  Untouchable untouchable = Untouchable::kNo;
  int64_t mask_checked_ns = 0;
  // How often it had slept when it was last seen unmasked but not yet believed
  // so, and its CPU clock when that was first seen.
  std::optional<uint64_t> mask_sleeps;
  int64_t mask_clock_ns = 0;
  uint64_t stack_sp = 0;        // last seen stack pointer, 0: never seen
  uint64_t thread_pointer = 0;  // 0: not known
  // Its last answer, and the tick that found it.
  stacks::StackId answer_stack = stacks::kNoStack;
  int64_t answered_tick = 0;
  int short_answers = 0;       // thrown away for want of bounds
  bool asked_blocked = false;  // the last request was a signal to it, asleep
  const std::atomic<uint32_t>* labels = nullptr;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_OBSERVED_THREAD_H_
