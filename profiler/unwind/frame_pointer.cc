#include "profiler/unwind/frame_pointer.h"

#include <cstring>

namespace wallprof::unwind {
namespace {

constexpr uint8_t kEndbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
constexpr uint8_t kMovRspRbp[] = {0x48, 0x89, 0xe5};
constexpr uint8_t kMovRspRbpAlternative[] = {0x48, 0x8b, 0xec};
constexpr uint8_t kAddMinus128Rsp[] = {0x48, 0x83, 0xc4, 0x80};

template <size_t N>
bool SkipPrefix(absl::Span<const uint8_t>& code, const uint8_t (&bytes)[N]) {
  if (code.size() < N || memcmp(code.data(), bytes, N) != 0) return false;
  code.remove_prefix(N);
  return true;
}

int32_t Signed4(const uint8_t* bytes) {
  int32_t value;
  memcpy(&value, bytes, sizeof(value));
  return value;
}

// Bytes of ModRM, SIB and displacement at the front of `code`; 0 if cut off.
size_t OperandLength(absl::Span<const uint8_t> code) {
  if (code.empty()) return 0;
  const int mode = code[0] >> 6;
  if (mode == 3) return 1;
  size_t length = 1;
  int base = code[0] & 7;
  if (base == 4) {  // SIB
    if (code.size() < 2) return 0;
    ++length;
    base = code[1] & 7;
  }
  if (mode == 1) length += 1;
  if (mode == 2 || (mode == 0 && base == 5)) length += 4;
  return length;
}

struct Instruction {
  size_t length = 0;  // 0: not a plain one, or cut off
  bool writes_rsp = false;
};

// Bytes of immediate after the operands of a plain one-byte opcode, or -1 for
// any other opcode: moves, address computations and arithmetic, with operands.
int ImmediateLength(uint8_t opcode) {
  if (opcode < 0x40) return (opcode & 7) < 4 ? 0 : -1;  // add to cmp
  switch (opcode) {
    case 0x63:  // movslq
    case 0x84:
    case 0x85:  // test
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:  // mov
    case 0x8d:  // lea
    case 0xd1:
    case 0xd3:  // shifts
      return 0;
    case 0x6b:
    case 0x80:
    case 0x83:
    case 0xc0:
    case 0xc1:
    case 0xc6:
      return 1;
    case 0x69:
    case 0x81:
    case 0xc7:
      return 4;
    default:
      return -1;
  }
}

// Opcodes after 0f that move, convert or shuffle, all with operands.
bool IsPlainExtended(uint8_t opcode) {
  return (opcode >= 0x10 && opcode <= 0x17) || opcode == 0x1f ||
         (opcode >= 0x28 && opcode <= 0x2f) ||
         (opcode >= 0x40 && opcode <= 0x6f) || opcode == 0x7e ||
         opcode == 0x7f || opcode == 0xaf || opcode == 0xb6 || opcode == 0xb7 ||
         opcode == 0xbe || opcode == 0xbf || opcode == 0xd6 || opcode == 0xef;
}

// The instruction at the front of `code`, if it is one of those that are found
// amid prologues and does not branch.
Instruction DecodePlain(absl::Span<const uint8_t> code) {
  size_t at = 0;
  bool legacy_prefix = false;
  while (at < code.size() && (code[at] == 0x66 || code[at] == 0xf2 ||
                              code[at] == 0xf3 || code[at] == 0x64)) {
    legacy_prefix = true;
    ++at;
  }
  uint8_t rex = 0;
  if (at < code.size() && (code[at] & 0xf0) == 0x40) rex = code[at++];
  if (at >= code.size()) return {};
  const uint8_t opcode = code[at++];
  if ((opcode & 0xf8) == 0xb8) {  // mov $imm,%reg
    const size_t length = at + ((rex & 8) != 0 ? 8 : 4);
    if (legacy_prefix || length > code.size()) return {};
    return {length, opcode == 0xbc && (rex & 1) == 0};
  }
  int immediate = 0;
  if (opcode == 0x0f) {
    if (at >= code.size() || !IsPlainExtended(code[at])) return {};
    ++at;
  } else {
    immediate = ImmediateLength(opcode);
    // A 16-bit operand has an immediate of its own length.
    if (immediate < 0 || (legacy_prefix && immediate == 4)) return {};
  }
  const size_t operands = OperandLength(code.subspan(at));
  if (operands == 0) return {};
  const size_t length = at + operands + static_cast<size_t>(immediate);
  if (length > code.size()) return {};
  if (opcode == 0x0f) return {length, false};
  constexpr int kRsp = 4;
  const bool to_register = (opcode < 0x40 && (opcode & 2) != 0) ||
                           opcode == 0x63 || opcode == 0x69 || opcode == 0x6b ||
                           opcode == 0x8a || opcode == 0x8b || opcode == 0x8d;
  const uint8_t modrm = code[at];
  const bool writes_rsp =
      to_register ? ((modrm >> 3) & 7) == kRsp && (rex & 4) == 0
                  : modrm >= 0xc0 && (modrm & 7) == kRsp && (rex & 1) == 0;
  return {length, writes_rsp};
}

}  // namespace

std::optional<uint64_t> FrameSizeByPrologue(absl::Span<const uint8_t> code) {
  constexpr uint8_t kPushRbp = 0x55;
  SkipPrefix(code, kEndbr64);
  if (code.empty() || code[0] != kPushRbp) return std::nullopt;
  code.remove_prefix(1);
  if (!SkipPrefix(code, kMovRspRbp) &&
      !SkipPrefix(code, kMovRspRbpAlternative)) {
    return std::nullopt;
  }
  // Compilers put other instructions between those that make the frame.
  uint64_t size = 0;
  for (;;) {
    const bool extended = code.size() > 1 && code[0] == 0x41;
    const size_t at = extended ? 1 : 0;
    if (code.size() > at && (code[at] & 0xf8) == 0x50) {  // push
      size += 8;
      code.remove_prefix(at + 1);
      continue;
    }
    if (code.size() >= 4 && code[0] == 0x48 && code[1] == 0x83 &&
        code[2] == 0xec) {  // sub $imm8,%rsp
      return size + code[3];
    }
    // 128 is what imm8 can add the negative of, but not subtract.
    if (SkipPrefix(code, kAddMinus128Rsp)) return size + 128;
    if (code.size() >= 7 && code[0] == 0x48 && code[1] == 0x81 &&
        code[2] == 0xec) {  // sub $imm32,%rsp
      return size + static_cast<uint32_t>(Signed4(&code[3]));
    }
    const Instruction plain = DecodePlain(code);
    if (plain.writes_rsp) return std::nullopt;  // aligned, or alloca
    if (plain.length == 0) return size;
    code.remove_prefix(plain.length);
  }
}

CallSite DecodeCall(absl::Span<const uint8_t> before, uint64_t return_address) {
  // `end[-n]` is the byte n before the return address.
  const uint8_t* end = before.data() + before.size();
  if (end[-5] == 0xe8) {
    return {CallKind::kDirect,
            return_address + static_cast<uint64_t>(int64_t{Signed4(end - 4)})};
  }
  // ff /2: ModRM with 2 in the middle field, and what belongs to that.
  constexpr size_t kLengths[] = {2, 3, 4, 6, 7};
  for (const size_t length : kLengths) {
    const uint8_t* call = end - length;
    if (call[0] == 0xff && (call[1] & 0x38) == 0x10 &&
        1 + OperandLength({call + 1, length - 1}) == length) {
      return {CallKind::kIndirect, 0};
    }
  }
  return {};
}

std::optional<uint64_t> PltSlot(absl::Span<const uint8_t> code,
                                uint64_t address) {
  const size_t size = code.size();
  SkipPrefix(code, kEndbr64);
  if (!code.empty() && code[0] == 0xf2) code.remove_prefix(1);  // bnd
  if (code.size() < 6 || code[0] != 0xff || code[1] != 0x25) {
    return std::nullopt;
  }
  const uint64_t next = address + (size - code.size()) + 6;
  return next + static_cast<uint64_t>(int64_t{Signed4(&code[2])});
}

}  // namespace wallprof::unwind
