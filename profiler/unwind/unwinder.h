// Stacks from copies: walks a StackCopy frame by frame with libunwind.
//
// A frame is in the result because unwind information led to it, never by
// guess. The one thing that may be missing, the frame pointer of a thread
// blocked in a system call, is recovered as frame_pointer.h says.
//
// For the sampler's thread alone.
#ifndef WALLPROF_PROFILER_UNWIND_UNWINDER_H_
#define WALLPROF_PROFILER_UNWIND_UNWINDER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "profiler/stacks/frame.h"
#include "profiler/unwind/cfi_index.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/module_map.h"
#include "profiler/unwind/stack_copy.h"

namespace wallprof::unwind {

// A word of the stack that a walk read. A walk is decided by the program
// counter, the stack pointer and these: where they are the same again, so is
// the stack.
struct StackWord {
  uint64_t address;
  uint64_t value;
};

struct Walk {
  // Deeper stacks are cut at the root's end: a recursion this deep is told by
  // its leaf.
  static constexpr size_t kMaxFrames = 512;

  // Frames leaf first, callers' addresses inside their call instruction. If
  // not complete, the last is the pseudo-frame [truncated].
  std::array<stacks::Frame, kMaxFrames + 1> frames;
  size_t depth = 0;
  bool complete = false;  // reached the thread's root

  // Where the copy was too short, the first address that was missing; else 0.
  uint64_t missing = 0;

  // Stack pointer of the outermost frame reached.
  uint64_t root_sp = 0;

  // What the walk depended on; empty if that is not all that it did.
  std::vector<StackWord> words;

  absl::Span<const stacks::Frame> stack() const {
    return {frames.data(), depth};
  }
};

class Unwinder {
 public:
  // LibUnwind::Load must have succeeded. The arguments must outlive it.
  Unwinder(const Memory& memory, stacks::Recording& recording);
  ~Unwinder();
  Unwinder(const Unwinder&) = delete;
  Unwinder& operator=(const Unwinder&) = delete;

  // Replaces what is known of modules by what `maps` says, and forgets all
  // that was derived from the old.
  void SetModules(std::string_view maps);

  // Walks `copy` into `walk`, whose buffers are reused.
  void Unwind(const StackCopy& copy, Walk& walk);

  // What the unwind tables say of the function at `pc`; nullptr: nothing. Valid
  // until the next use of this object.
  const FrameDescription* FunctionAt(uint64_t pc) { return cfi_.Find(pc); }

  // The last walk met code that no known module holds: the map may be old.
  bool met_unknown_code() const { return met_unknown_code_; }

 private:
  friend class FramePointerSearch;
  class Callbacks;

  // How one pass over the copy ended.
  enum class End { kRoot, kNoInformation, kMissingFramePointer, kFailed };

  End WalkOnce(Walk& walk);
  bool ReadStack(uint64_t address, uint64_t& word);
  bool ReadImage(uint64_t address, uint64_t& word);
  stacks::Frame FrameOf(uint64_t pc);

  PageCache pages_;
  const Memory& memory_;
  stacks::Recording& recording_;
  ModuleMap map_;
  CfiIndex cfi_;
  void* address_space_ = nullptr;
  bool cache_sized_ = false;
  bool met_unknown_code_ = false;

  // Of the walk under way.
  const StackCopy* copy_ = nullptr;
  Walk* walk_ = nullptr;
  uint64_t recovered_rbp_ = 0;
  bool memoizable_ = false;
  bool lacks_rbp_ = false;
  uint64_t failed_sp_ = 0;        // of the frame that could not be left
  uint64_t failed_function_ = 0;  // where its function starts
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_UNWINDER_H_
