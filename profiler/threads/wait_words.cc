#include "profiler/threads/wait_words.h"

#include "profiler/threads/wait_form.h"

namespace wallprof::threads {

SyscallState WaitWords::Call() const {
  SyscallState state;
  state.kind = SyscallState::Kind::kInSyscall;
  state.number = static_cast<int>(number);
  state.arguments = {arguments[0], arguments[1], arguments[2]};
  return state;
}

WaitWords WordsOf(const SyscallState& state, bool joins) {
  WaitWords words;
  words.number = state.number;
  switch (WaitFormOf(state.number)) {
    case WaitForm::kUnknown:
    case WaitForm::kSleep:
    case WaitForm::kSignal:
      break;
    case WaitForm::kFutex:
      // Any other futex says nothing, so that all are one.
      if (joins) words.arguments = {state.arguments[0], 0, state.arguments[2]};
      break;
    case WaitForm::kPoll:
      if (state.arguments[1] != 0) {
        words.arguments = {state.arguments[0], state.arguments[1], 0};
      }
      break;
    case WaitForm::kSelect:
      words.arguments[0] = state.arguments[0] != 0;
      break;
    case WaitForm::kChildById:
      words.arguments = {state.arguments[0], state.arguments[1], 0};
      break;
    case WaitForm::kChild:
    case WaitForm::kEpoll:
    case WaitForm::kDescriptor:
      // They are 32 bits wide; what stands above them is left from elsewhere.
      words.arguments[0] = static_cast<uint32_t>(state.arguments[0]);
      break;
  }
  return words;
}

}  // namespace wallprof::threads
