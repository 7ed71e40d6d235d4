#include "profiler/capture/outside_look.h"

#include <algorithm>
#include <optional>

namespace wallprof::capture {
namespace {

// The call that a signal stop or a freezer interrupted goes on under this
// number; what it was is known from before.
constexpr int kRestartSyscall = 219;

// Registers that the kernel shows of a blocked system call, in its order of
// arguments.
constexpr unwind::Register kArgumentRegisters[] = {unwind::kRdi, unwind::kRsi,
                                                   unwind::kRdx, unwind::kR10,
                                                   unwind::kR8,  unwind::kR9};

}  // namespace

OutsideLook::OutsideLook(const unwind::Memory& memory,
                         unwind::Unwinder& unwinder,
                         stacks::Recording& recording)
    : memory_(memory),
      unwinder_(unwinder),
      recording_(recording),
      first_(std::make_unique_for_overwrite<std::byte[]>(kMaxCopy)),
      second_(std::make_unique_for_overwrite<std::byte[]>(kMaxSecond)) {}

bool OutsideLook::CopyFrom(uint64_t sp, size_t bytes) {
  const size_t got = memory_.Read(sp, first_.get(), std::min(bytes, kMaxCopy));
  copy_.segments[0] = {sp, first_.get(), got};
  copy_.segment_count = 1;
  return got > 0;
}

// Extends the copy to where a walk found it too short.
bool OutsideLook::CopyMore(uint64_t missing) {
  const unwind::StackSegment& first = copy_.segments[0];
  if (missing >= first.address && missing - first.address < kMaxCopy) {
    // Four times as much, so that a deep stack is copied few times.
    const size_t wanted = std::max<size_t>(
        first.size * 4, missing - first.address + sizeof(uint64_t));
    const size_t before = first.size;
    const uint64_t address = first.address;
    return CopyFrom(address, wanted) && copy_.segments[0].size > before;
  }
  if (copy_.segment_count > 1) return false;
  const size_t got = memory_.Read(missing, second_.get(), kMaxSecond);
  copy_.segments[1] = {missing, second_.get(), got};
  copy_.segment_count = 2;
  return got > 0;
}

bool OutsideLook::SameWords(const StackMemo& memo) const {
  return std::all_of(memo.words.begin(), memo.words.end(),
                     [this](const unwind::StackWord& word) {
                       uint64_t now;
                       return copy_.Read(word.address, now) &&
                              now == word.value;
                     });
}

void OutsideLook::Remember(ObservedThread& thread,
                           const threads::SyscallState& state) {
  StackMemo& memo = thread.memo;
  if (state.number != kRestartSyscall || memo.pc != state.pc) {
    memo.syscall = state.number;
  }
  memo.sp = state.sp;
  memo.pc = state.pc;
  memo.complete = walk_.complete;
  memo.stack = recording_.table().Intern(walk_.stack());
  memo.words = walk_.words;
  uint64_t highest = state.sp;
  for (const unwind::StackWord& word : memo.words) {
    if (copy_.segments[0].Contains(word.address, sizeof(uint64_t))) {
      highest = std::max(highest, word.address + sizeof(uint64_t));
    }
  }
  thread.copy_bytes = highest - state.sp;
}

OutsideLook::Outcome OutsideLook::Look(ObservedThread& thread,
                                       const threads::SyscallState& state,
                                       const std::function<bool()>& unmoved) {
  StackMemo& memo = thread.memo;
  if (state.sp == memo.sp && state.pc == memo.pc && !memo.words.empty()) {
    if (!CopyFrom(state.sp, thread.copy_bytes)) return Outcome::kUnseen;
    if (SameWords(memo)) {
      if (!unmoved()) return Outcome::kMoved;
      if (state.number != kRestartSyscall) memo.syscall = state.number;
      return Outcome::kSame;
    }
  }
  if (!CopyFrom(state.sp, std::max(thread.copy_bytes, kFirstCopy))) {
    return unmoved() ? Outcome::kUnseen : Outcome::kMoved;
  }
  copy_.at_call_boundary =
      state.kind == threads::SyscallState::Kind::kInSyscall;
  copy_.registers.Clear();
  copy_.registers.Set(unwind::kRsp, state.sp);
  copy_.registers.Set(unwind::kRip, state.pc);
  if (copy_.at_call_boundary) {
    for (size_t i = 0; i < std::size(kArgumentRegisters); ++i) {
      copy_.registers.Set(kArgumentRegisters[i], state.arguments[i]);
    }
  }
  unwinder_.Unwind(copy_, walk_);
  while (walk_.missing != 0 && CopyMore(walk_.missing)) {
    unwinder_.Unwind(copy_, walk_);
  }
  if (!unmoved()) return Outcome::kMoved;
  recording_.tallies().walks.add(1);
  Remember(thread, state);
  return Outcome::kWalked;
}

}  // namespace wallprof::capture
