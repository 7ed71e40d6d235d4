// Tries the places where a missing frame pointer may be saved, until the walk
// reaches the root. See frame_pointer.h for what is believed.
#ifndef WALLPROF_PROFILER_UNWIND_FRAME_POINTER_SEARCH_H_
#define WALLPROF_PROFILER_UNWIND_FRAME_POINTER_SEARCH_H_

#include <cstdint>

#include "profiler/unwind/unwinder.h"

namespace wallprof::unwind {

class FramePointerSearch {
 public:
  // `unwinder` has just failed for want of rbp.
  explicit FramePointerSearch(Unwinder& unwinder) : unwinder_(unwinder) {}

  // True if a walk reached the root; it is then the unwinder's current walk.
  // Otherwise that is the longest one that is certain.
  bool Run();

 private:
  // How far above SP the scan looks: a larger frame than this is rare, and
  // each candidate that passes the first tests costs a walk.
  static constexpr uint64_t kMaxScanBytes = 4096;

  // What the code before a return address says of it.
  enum class Call {
    kNone,      // there is no call
    kThis,      // calls the function that is being left
    kAnother,   // calls another, which may have jumped to this
    kIndirect,  // calls what a register or memory holds; or the kernel does
  };

  bool TryPrologue();
  bool TryScan();
  bool ReachesRootFrom(uint64_t candidate);
  Call CallBefore(uint64_t return_address);
  bool Targets(uint64_t call_target);
  bool IsInFunction(uint64_t address);

  Unwinder& unwinder_;
  uint64_t sp_ = 0;        // of the frame that could not be left
  uint64_t function_ = 0;  // and its function
  // Where both witnesses agree, whether or not the root is reached; else 0.
  uint64_t certain_rbp_ = 0;
  // There was a pair that may be the right one, so that one further up, whose
  // call's target is not known, is not believed.
  bool doubtful_ = false;
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_FRAME_POINTER_SEARCH_H_
