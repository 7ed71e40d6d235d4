#include "profiler/unwind/frame_pointer_search.h"

#include <array>

#include "profiler/unwind/frame_pointer.h"

namespace wallprof::unwind {
namespace {

// Pushes and one subtraction, with what compilers put in between.
constexpr size_t kPrologueBytes = 64;
constexpr size_t kPltStubBytes = 16;
constexpr uint64_t kSlotAlignment = 16;

}  // namespace

bool FramePointerSearch::Run() {
  sp_ = unwinder_.failed_sp_;
  function_ = unwinder_.failed_function_;
  if (TryPrologue() || (certain_rbp_ == 0 && TryScan())) return true;
  // Back to the stack as far as it is certain.
  unwinder_.recovered_rbp_ = certain_rbp_;
  unwinder_.WalkOnce(*unwinder_.walk_);
  return false;
}

bool FramePointerSearch::TryPrologue() {
  std::array<uint8_t, kPrologueBytes> code;
  if (!unwinder_.pages_.Read(function_, code.data(), code.size())) return false;
  const std::optional<uint64_t> size = FrameSizeByPrologue(code);
  uint64_t return_address;
  if (!size.has_value() ||
      !unwinder_.ReadStack(sp_ + *size + 8, return_address)) {
    return false;
  }
  const Call call = CallBefore(return_address);
  if (call == Call::kThis) certain_rbp_ = sp_ + *size;
  doubtful_ = call != Call::kNone;
  return call != Call::kNone && ReachesRootFrom(sp_ + *size);
}

// The saved rbp would stand at a candidate, the return address above it.
bool FramePointerSearch::TryScan() {
  const uint64_t first = (sp_ + kSlotAlignment - 1) & ~(kSlotAlignment - 1);
  for (uint64_t at = first; at < sp_ + kMaxScanBytes; at += kSlotAlignment) {
    uint64_t saved_rbp, return_address;
    if (!unwinder_.ReadStack(at, saved_rbp) ||
        !unwinder_.ReadStack(at + 8, return_address)) {
      return false;
    }
    // The caller's frame lies above. A caller that keeps something else in rbp
    // is not found by the scan.
    if (saved_rbp != 0 && saved_rbp <= at) continue;
    const Call call = CallBefore(return_address);
    if (call == Call::kThis) {
      if (ReachesRootFrom(at)) return true;
      doubtful_ = true;
    } else if (call == Call::kIndirect && !doubtful_) {
      if (ReachesRootFrom(at)) return true;
    } else if (call == Call::kAnother && !doubtful_) {
      // What this function's own calls have left behind is not the way out.
      doubtful_ = !IsInFunction(return_address - 1) && ReachesRootFrom(at);
    }
  }
  return false;
}

bool FramePointerSearch::ReachesRootFrom(uint64_t candidate) {
  unwinder_.recovered_rbp_ = candidate;
  return unwinder_.WalkOnce(*unwinder_.walk_) == Unwinder::End::kRoot;
}

FramePointerSearch::Call FramePointerSearch::CallBefore(
    uint64_t return_address) {
  if (unwinder_.map_.FindCode(return_address - 1) == nullptr) {
    return Call::kNone;
  }
  const FrameDescription* caller = unwinder_.cfi_.Find(return_address - 1);
  if (caller != nullptr && caller->is_signal_frame) return Call::kIndirect;
  std::array<uint8_t, kMaxCallBytes> before;
  if (!unwinder_.pages_.Read(return_address - before.size(), before.data(),
                             before.size())) {
    return Call::kNone;
  }
  const CallSite call = DecodeCall(before, return_address);
  switch (call.kind) {
    case CallKind::kNone:
      return Call::kNone;
    case CallKind::kIndirect:
      return Call::kIndirect;
    case CallKind::kDirect:
      return Targets(call.target) ? Call::kThis : Call::kAnother;
  }
  return Call::kNone;
}

bool FramePointerSearch::IsInFunction(uint64_t address) {
  const FrameDescription* description = unwinder_.cfi_.Find(address);
  return description != nullptr && description->start == function_;
}

bool FramePointerSearch::Targets(uint64_t call_target) {
  if (call_target == function_) return true;
  std::array<uint8_t, kPltStubBytes> stub;
  if (!unwinder_.pages_.Read(call_target, stub.data(), stub.size())) {
    return false;
  }
  const std::optional<uint64_t> slot = PltSlot(stub, call_target);
  uint64_t target;
  // Not from the page cache: the loader fills slots while a module is in use.
  return slot.has_value() && unwinder_.memory_.ReadWord(*slot, target) &&
         target == function_;
}

}  // namespace wallprof::unwind
