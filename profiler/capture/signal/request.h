// What the sampler asks of a running thread, and the answer.
//
// Invariants
//  1. A request belongs to one thread at a time, and lives in a pool that is
//     never unmapped: a signal that comes late finds memory, not a hole.
//  2. The sampler moves idle -> armed and done -> idle, and armed -> idle
//     after it has taken the timer back; the handler moves armed -> copying
//     -> done. Only the handler writes the answer, only between armed and
//     done; only the sampler reads it, after done.
//  3. The bounds are written before armed (release) and read after it.
//
//   sampler:  [bounds, labels] --release--> armed       done --acquire--> read
//   handler:                    armed --acq--> copying --release--> done
#ifndef WALLPROF_PROFILER_CAPTURE_SIGNAL_REQUEST_H_
#define WALLPROF_PROFILER_CAPTURE_SIGNAL_REQUEST_H_

#include <stddef.h>
#include <stdint.h>

#include <atomic>

namespace wallprof::capture {

// Registers in DWARF's numbering, see unwind/stack_copy.h.
inline constexpr int kAnswerRegisters = 17;

struct Request {
  enum State : uint32_t { kIdle, kArmed, kCopying, kDone };

  // Stacks of more bytes are cut; 64 KiB hold some hundred frames.
  static constexpr size_t kStackBytes = 64 << 10;

  std::atomic<uint32_t> state;

  // --- written by the sampler while idle ------------------------------------
  // The thread's stack, as far as it is known to stay mapped; empty if not
  // known.
  uint64_t stack_low;
  uint64_t stack_high;
  // Where the thread keeps its current label set; may be null.
  const std::atomic<uint32_t>* labels;

  // --- written by the handler -----------------------------------------------
  uint64_t registers[kAnswerRegisters];
  uint64_t thread_pointer;  // its control block lies at the top of its stack
  uint64_t stack_size;      // bytes copied from SP on
  uint32_t label_set;
  uint64_t modules_added;  // of the published count; 0 where there is none

  std::byte stack[kStackBytes];
};

// Counted where no request can be: by any thread's handler.
struct SignalTallies {
  // System calls seen returning EINTR at the moment of our signal. With CPU
  // timers these are the program's own interruptions.
  std::atomic<int64_t> eintr;
  // Signals of ours that found their request not armed.
  std::atomic<int64_t> stale;
  // Signals of the same number that were not ours.
  std::atomic<int64_t> foreign;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SIGNAL_REQUEST_H_
