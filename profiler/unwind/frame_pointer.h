// Where a frame's saved frame pointer may lie on the stack.
//
// Of a thread blocked in a system call the kernel tells SP and PC, not rbp.
// A function that finds its caller by rbp, with no inner frame that saved it,
// leaves two witnesses:
//  1. Its prologue: after `push %rbp; mov %rsp,%rbp`, the pushes and the
//     `sub $n,%rsp` tell how far below rbp the stack pointer is, unless the
//     function uses alloca. Other instructions may stand between them.
//  2. The stack: above SP, at an address divisible by 16, stand the saved rbp
//     and the return address.
// Either is believed only if the return address follows a call instruction,
// a direct call there targets the very function that is being left (2; with 1
// a tail call may have replaced it), and the walk from there reaches the root.
// An indirect call's target is not known; with 2 it is not believed once a pair
// below it may be the right one, called through a tail call or not leading to
// the root: the walk then stops.
#ifndef WALLPROF_PROFILER_UNWIND_FRAME_POINTER_H_
#define WALLPROF_PROFILER_UNWIND_FRAME_POINTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace wallprof::unwind {

// Bytes from SP up to rbp in the body of the function whose first bytes are
// `code`, by its prologue; nullopt if it is not of the known form.
std::optional<uint64_t> FrameSizeByPrologue(absl::Span<const uint8_t> code);

enum class CallKind { kNone, kDirect, kIndirect };

struct CallSite {
  CallKind kind = CallKind::kNone;
  uint64_t target = 0;  // of a direct call
};

// The longest call instruction: opcode, ModRM, SIB, 4 bytes, and a prefix.
inline constexpr size_t kMaxCallBytes = 8;

// The call instruction that ends at `return_address`; `before` are the
// kMaxCallBytes bytes up to there.
CallSite DecodeCall(absl::Span<const uint8_t> before, uint64_t return_address);

// If `code`, at `address`, is a PLT stub (an indirect jump through a slot,
// perhaps after endbr64), the slot's address.
std::optional<uint64_t> PltSlot(absl::Span<const uint8_t> code,
                                uint64_t address);

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_FRAME_POINTER_H_
