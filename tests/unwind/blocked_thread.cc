#include "tests/unwind/blocked_thread.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "profiler/threads/cpu_clock.h"

namespace wallprof::unwind {

threads::SyscallState WaitUntilBlocked(threads::Tid tid,
                                       std::optional<int> number) {
  threads::TaskDirectory tasks;
  int64_t last_cpu = -1;
  uint64_t last_sp = 0;
  for (int i = 0; i < 5000; ++i) {
    threads::ProcText text;
    if (!tasks.Read(tid, "syscall", text)) break;
    const auto state = threads::ParseSyscall(text.text());
    const int64_t cpu = threads::CpuTimeOf(tid);
    if (state.has_value() &&
        state->kind == threads::SyscallState::Kind::kInSyscall &&
        state->number == number.value_or(state->number) && cpu == last_cpu &&
        state->sp == last_sp) {
      return *state;
    }
    last_cpu = cpu;
    last_sp = state.has_value() ? state->sp : 0;
    usleep(2000);
  }
  throw std::runtime_error("thread " + std::to_string(tid) + " does not block");
}

DetachedThread::DetachedThread(std::function<void()> body) {
  auto tid = std::make_shared<std::atomic<threads::Tid>>(0);
  std::thread([tid, body = std::move(body)] {
    tid->store(static_cast<threads::Tid>(syscall(SYS_gettid)));
    tid->notify_all();
    body();
  }).detach();
  tid->wait(0);
  tid_ = *tid;
}

CopiedStack::CopiedStack(const Memory& memory,
                         const threads::SyscallState& state, size_t max_bytes)
    : bytes_(max_bytes) {
  bytes_.resize(memory.Read(state.sp, bytes_.data(), max_bytes));
  copy_.segments[0] = {state.sp, bytes_.data(), bytes_.size()};
  copy_.segment_count = 1;
  copy_.at_call_boundary = true;
  copy_.registers.Set(kRsp, state.sp);
  copy_.registers.Set(kRip, state.pc);
  constexpr Register kArguments[] = {kRdi, kRsi, kRdx, kR10, kR8, kR9};
  for (int i = 0; i < 6; ++i) {
    copy_.registers.Set(kArguments[i], state.arguments[i]);
  }
}

}  // namespace wallprof::unwind
