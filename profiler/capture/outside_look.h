// Stacks of blocked threads, read from outside without their noticing.
//
// The copy is taken between two readings of the thread's witness. Where both
// are equal the thread did not run meanwhile and the copy is consistent, as
// under a seqlock; all that a walk needs is copied inside that bracket.
#ifndef WALLPROF_PROFILER_CAPTURE_OUTSIDE_LOOK_H_
#define WALLPROF_PROFILER_CAPTURE_OUTSIDE_LOOK_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "profiler/capture/observed_thread.h"
#include "profiler/stacks/recording.h"
#include "profiler/threads/proc_file.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/stack_copy.h"
#include "profiler/unwind/unwinder.h"

namespace wallprof::capture {

class OutsideLook {
 public:
  enum class Outcome {
    kSame,    // where the last walk found it; nothing was unwound
    kWalked,  // `thread.memo` has the new stack
    kMoved,   // it ran meanwhile
    kUnseen,  // its stack cannot be read
  };

  OutsideLook(const unwind::Memory& memory, unwind::Unwinder& unwinder,
              stacks::Recording& recording);

  // Looks at `thread`, which procfs says is blocked as in `state`. `unmoved`
  // reads the witness again and compares it with that from before `state` was
  // read.
  Outcome Look(ObservedThread& thread, const threads::SyscallState& state,
               const std::function<bool()>& unmoved);

  // The last walk met code of no known module.
  bool met_unknown_code() const { return unwinder_.met_unknown_code(); }

 private:
  // First copy of a thread not walked before; twice what most stacks use.
  static constexpr size_t kFirstCopy = 8 << 10;
  // Longest copy: a walk that needs more is truncated.
  static constexpr size_t kMaxCopy = 512 << 10;
  // Of a second stack, that an alternate signal stack or a fiber leads to.
  static constexpr size_t kMaxSecond = 64 << 10;

  bool SameWords(const StackMemo& memo) const;
  bool CopyFrom(uint64_t sp, size_t bytes);
  bool CopyMore(uint64_t missing);
  void Remember(ObservedThread& thread, const threads::SyscallState& state);

  const unwind::Memory& memory_;
  unwind::Unwinder& unwinder_;
  stacks::Recording& recording_;
  std::unique_ptr<std::byte[]> first_;
  std::unique_ptr<std::byte[]> second_;
  unwind::StackCopy copy_;
  unwind::Walk walk_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_OUTSIDE_LOOK_H_
