// A thread's registers and stack at one instant, as plain data: what the
// unwinder works on, wherever it was taken.
#ifndef WALLPROF_PROFILER_UNWIND_STACK_COPY_H_
#define WALLPROF_PROFILER_UNWIND_STACK_COPY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wallprof::unwind {

// Numbered as DWARF numbers the registers of x86-64.
enum Register : uint8_t {
  kRax,
  kRdx,
  kRcx,
  kRbx,
  kRsi,
  kRdi,
  kRbp,
  kRsp,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15,
  kRip,
};
inline constexpr int kRegisterCount = 17;

// Of a thread blocked in a system call only some registers are known.
class Registers {
 public:
  void Set(Register reg, uint64_t value) {
    values_[reg] = value;
    known_ |= 1u << reg;
  }
  void Forget(Register reg) { known_ &= ~(1u << reg); }
  bool Knows(Register reg) const { return (known_ >> reg) & 1; }
  uint64_t Get(Register reg) const { return values_[reg]; }
  void Clear() { known_ = 0; }

 private:
  std::array<uint64_t, kRegisterCount> values_{};
  uint32_t known_ = 0;
};

// A contiguous piece of copied memory, kept elsewhere.
struct StackSegment {
  uint64_t address = 0;
  const std::byte* bytes = nullptr;
  size_t size = 0;

  bool Contains(uint64_t at, size_t length) const {
    return at >= address && at - address <= size &&
           length <= size - (at - address);
  }
};

struct StackCopy {
  // The innermost stretch first; a second one where the thread runs on an
  // alternate stack.
  static constexpr int kMaxSegments = 3;

  Registers registers;
  std::array<StackSegment, kMaxSegments> segments;
  int segment_count = 0;
  // True of a thread stopped at a system call: its frame pointer, where not
  // known, can be recovered from the stack. Elsewhere SP may be anywhere.
  bool at_call_boundary = false;

  bool Read(uint64_t address, uint64_t& word) const {
    for (int i = 0; i < segment_count; ++i) {
      if (segments[i].Contains(address, sizeof(word))) {
        memcpy(&word, segments[i].bytes + (address - segments[i].address),
               sizeof(word));
        return true;
      }
    }
    return false;
  }
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_STACK_COPY_H_
