// A frame of a sampled stack, packed into one word.
//
// A frame is not an address: it is a place in a module. A module that was
// unloaded, and whose addresses another one has taken, keeps its own frames.
#ifndef WALLPROF_PROFILER_STACKS_FRAME_H_
#define WALLPROF_PROFILER_STACKS_FRAME_H_

#include <cstdint>

namespace wallprof::stacks {

// Index of a module in the recording; kNoModule: code that belongs to none.
using ModuleId = uint16_t;
inline constexpr ModuleId kNoModule = 0;

// Stands in a stack where there is no code to name.
enum class PseudoFrame : uint8_t {
  kTruncated,   // in the root's place: the walk did not get there
  kOverflow,    // the table is full
  kExited,      // CPU time of threads that ended between looks
  kMasked,      // runs, but masks the profiler's signal
  kSmallStack,  // runs on a stack too small to be interrupted
  kNotSampled,  // ran, but not long enough to be caught running
  kUnseen,      // the stack could not be had
  kHeldBy,      // parts a waiter's stack from that of the lock's holder
  kLater,       // the holder's stack is one of after it was seen to hold
  kUnknown,     // in place of a holder that is not known
  kKernel,      // ran in the kernel, called from the frame before
  kLessHeavy,   // in place of stacks that are not shown one by one
};

// "[truncated]" and so on, as shown to people.
const char* PseudoFrameName(PseudoFrame pseudo);

// Layout: module in the upper 16 bits, offset from the module's start (the
// address itself for kNoModule) in the lower 48, as wide as a user address.
class Frame {
 public:
  Frame() = default;
  static Frame Code(ModuleId module, uint64_t offset) {
    return Frame((uint64_t{module} << kOffsetBits) | (offset & kOffsetMask));
  }
  static Frame Pseudo(PseudoFrame pseudo) {
    return Frame((uint64_t{kPseudoModule} << kOffsetBits) |
                 static_cast<uint64_t>(pseudo));
  }
  static Frame FromBits(uint64_t bits) { return Frame(bits); }

  uint64_t bits() const { return bits_; }
  bool is_pseudo() const { return module() == kPseudoModule; }
  PseudoFrame pseudo() const { return static_cast<PseudoFrame>(offset()); }
  ModuleId module() const {
    return static_cast<ModuleId>(bits_ >> kOffsetBits);
  }
  uint64_t offset() const { return bits_ & kOffsetMask; }

  friend bool operator==(Frame a, Frame b) { return a.bits_ == b.bits_; }

 private:
  explicit Frame(uint64_t bits) : bits_(bits) {}

  static constexpr int kOffsetBits = 48;
  static constexpr uint64_t kOffsetMask = (uint64_t{1} << kOffsetBits) - 1;
  static constexpr ModuleId kPseudoModule = 0xffff;

  uint64_t bits_ = 0;
};
static_assert(sizeof(Frame) == 8);

}  // namespace wallprof::stacks

#endif  // WALLPROF_PROFILER_STACKS_FRAME_H_
