#include "profiler/capture/signal/handler.h"

#include <errno.h>
#include <stdint.h>
#include <ucontext.h>

namespace wallprof::capture {
namespace {

constexpr uint64_t kPageBytes = 4096;

// Constant-initialized, so that no guard or constructor runs.
constinit std::atomic<Request*> g_begin{nullptr};
constinit std::atomic<Request*> g_end{nullptr};
constinit std::atomic<const uint64_t*> g_modules_added{nullptr};
constinit SignalTallies g_tallies{};

// What the program does about a signal of which the kernel calls our handler.
// Invariant: cell writes % 2 is whole. A writer fills the other one and then
// counts up, so a reader that finds the same count before and after has read
// what was whole; one that does not reads again. One writer at a time.
struct ProgramAction {
  std::atomic<uint32_t> writes;
  // The write whose SA_RESETHAND handler has run; 0: none.
  std::atomic<uint32_t> spent;
  struct sigaction cells[2];
};

// By signal: one that was used by an earlier profiler stays ours.
constinit ProgramAction g_program_actions[_NSIG];

// Index in gregs of the registers in DWARF's order.
constexpr uint8_t kGregs[kAnswerRegisters] = {
    REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
    REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
    REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

// memcpy without a call: libc's may be interposed by the program, and
// instrumentation would object to reading a whole stack.
__attribute__((always_inline,
               no_sanitize("address", "thread", "undefined"))) inline void
CopyBytes(void* to, uint64_t from, uint64_t size) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// The control block's first word is its own address (x86-64 psABI, TLS).
__attribute__((always_inline)) inline uint64_t ThreadPointer() {
  uint64_t value;
  asm("mov %%fs:0, %0" : "=r"(value));
  return value;
}

// The request that the signal carries, or nullptr if it is not ours.
inline Request* RequestOf(const siginfo_t* info) {
  if (info->si_code != SI_TIMER && info->si_code != SI_QUEUE) return nullptr;
  auto* request = static_cast<Request*>(info->si_value.sival_ptr);
  Request* begin = g_begin.load(std::memory_order_acquire);
  Request* end = g_end.load(std::memory_order_acquire);
  if (request < begin || request >= end) return nullptr;
  const auto offset =
      reinterpret_cast<uintptr_t>(request) - reinterpret_cast<uintptr_t>(begin);
  return offset % sizeof(Request) == 0 ? request : nullptr;
}

// A system call that has just failed with EINTR: the kernel left -EINTR in
// rax, and the instruction before PC is `syscall`. Its two bytes lie in the
// page of PC or, if PC starts a page, are not looked at.
__attribute__((no_sanitize("address"))) inline void CountEintr(
    const greg_t* gregs) {
  if (gregs[REG_RAX] != -EINTR) return;
  const auto pc = static_cast<uint64_t>(gregs[REG_RIP]);
  if (pc % kPageBytes < 2) return;
  const auto* code = reinterpret_cast<const uint8_t*>(pc - 2);
  if (code[0] == 0x0f && code[1] == 0x05) {
    g_tallies.eintr.fetch_add(1, std::memory_order_relaxed);
  }
}

__attribute__((no_sanitize("address"))) inline void Answer(
    Request* request, const greg_t* gregs) {
  uint32_t expected = Request::kArmed;
  if (!request->state.compare_exchange_strong(expected, Request::kCopying,
                                              std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
    g_tallies.stale.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  for (int i = 0; i < kAnswerRegisters; ++i) {
    request->registers[i] = static_cast<uint64_t>(gregs[kGregs[i]]);
  }
  request->thread_pointer = ThreadPointer();
  const auto sp = static_cast<uint64_t>(gregs[REG_RSP]);
  // The page that the thread's stack pointer is in is there. Further up only
  // what the sampler has made sure of.
  uint64_t high = (sp | (kPageBytes - 1)) + 1;
  if (sp >= request->stack_low && sp < request->stack_high) {
    high = request->stack_high;
  }
  uint64_t size = high - sp;
  if (size > Request::kStackBytes) size = Request::kStackBytes;
  CopyBytes(request->stack, sp, size);
  request->stack_size = size;
  request->label_set = request->labels == nullptr
                           ? 0
                           : request->labels->load(std::memory_order_relaxed);
  const uint64_t* added = g_modules_added.load(std::memory_order_relaxed);
  request->modules_added =
      added == nullptr ? 0 : __atomic_load_n(added, __ATOMIC_RELAXED);
  CountEintr(gregs);
  request->state.store(Request::kDone, std::memory_order_release);
}

// A copy, with the number of its write.
struct sigaction ReadProgramAction(const ProgramAction& action,
                                   uint32_t& write) {
  for (;;) {
    write = action.writes.load(std::memory_order_acquire);
    const struct sigaction copy = action.cells[write % 2];
    std::atomic_thread_fence(std::memory_order_acquire);
    if (action.writes.load(std::memory_order_relaxed) == write) return copy;
  }
}

void WriteProgramAction(ProgramAction& action, const struct sigaction& value) {
  const uint32_t write = action.writes.load(std::memory_order_relaxed) + 1;
  action.cells[write % 2] = value;
  action.writes.store(write, std::memory_order_release);
}

// Of either kind: the two share their place.
bool HasHandler(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

// True once for each write.
bool Spend(ProgramAction& action, uint32_t write) {
  return action.spent.exchange(write, std::memory_order_relaxed) != write;
}

// Not a sample: runs the handler that the program has, as the kernel would
// have, under the mask that it was installed with.
void PassOn(int signal, siginfo_t* info, void* context) {
  g_tallies.foreign.fetch_add(1, std::memory_order_relaxed);
  ProgramAction& action = g_program_actions[signal];
  uint32_t write = 0;
  const struct sigaction previous = ReadProgramAction(action, write);
  if (!HasHandler(previous)) return;  // by default ours are ignored as well
  if ((previous.sa_flags & SA_RESETHAND) != 0 && !Spend(action, write)) return;
  // Blocked until now: everything. To be blocked: what was when the signal
  // came, what the handler asked for, and the signal itself.
  sigset_t mask = static_cast<ucontext_t*>(context)->uc_sigmask;
  sigorset(&mask, &mask, &previous.sa_mask);
  if ((previous.sa_flags & SA_NODEFER) == 0) sigaddset(&mask, signal);
  // Async-signal-safe by POSIX; our return restores the interrupted mask.
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else {
    previous.sa_handler(signal);
  }
}

void HandleSignal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  if (Request* request = RequestOf(info)) {
    Answer(request, static_cast<ucontext_t*>(context)->uc_mcontext.gregs);
  } else {
    PassOn(signal, info, context);
  }
  errno = saved_errno;
}

bool IsHandleSignal(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 &&
         action.sa_sigaction == HandleSignal;
}

// With what libc and the kernel add to an action, as they did to ours, and
// without what cannot be masked.
struct sigaction AsTheKernelKeepsIt(struct sigaction action,
                                    const struct sigaction& installed) {
  constexpr int kHasRestorer = 0x04000000;  // SA_RESTORER, which libc hides
  action.sa_flags |= installed.sa_flags & kHasRestorer;
  action.sa_restorer = installed.sa_restorer;
  sigdelset(&action.sa_mask, SIGKILL);
  sigdelset(&action.sa_mask, SIGSTOP);
  return action;
}

// The kernel calls ours, and restarts what the program's would have restarted:
// it goes by one action for both. 0, or the errno of sigaction.
int InstallFor(int signal, const struct sigaction& program) {
  struct sigaction ours = {};
  ours.sa_sigaction = HandleSignal;
  ours.sa_flags =
      SA_SIGINFO | SA_ONSTACK |
      (HasHandler(program) ? program.sa_flags & SA_RESTART : SA_RESTART);
  // Nothing may run on top: a handler that jumps away would leave a request
  // half answered.
  sigfillset(&ours.sa_mask);
  return sigaction(signal, &ours, nullptr) == 0 ? 0 : errno;
}

}  // namespace

void PublishRequests(Request* begin, Request* end) {
  g_end.store(begin, std::memory_order_release);  // empty in between
  g_begin.store(begin, std::memory_order_release);
  g_end.store(end, std::memory_order_release);
}

void PublishModulesAdded(const uint64_t* modules_added) {
  g_modules_added.store(modules_added, std::memory_order_relaxed);
}

SignalTallies& GetSignalTallies() { return g_tallies; }

int InstallHandler(int signal) {
  struct sigaction current;
  if (sigaction(signal, nullptr, &current) != 0) return errno;
  if (IsHandleSignal(current)) return 0;
  WriteProgramAction(g_program_actions[signal], current);
  return InstallFor(signal, current);
}

bool SetProgramAction(int signal, const struct sigaction* action,
                      struct sigaction* before) {
  struct sigaction installed;
  if (sigaction(signal, nullptr, &installed) != 0) return false;
  if (!IsHandleSignal(installed)) return false;
  ProgramAction& current = g_program_actions[signal];
  if (before != nullptr) {
    uint32_t write = 0;
    *before = ReadProgramAction(current, write);
    if (current.spent.load(std::memory_order_relaxed) == write) {
      before->sa_handler = SIG_DFL;
    }
  }
  if (action == nullptr) return true;
  const struct sigaction kept = AsTheKernelKeepsIt(*action, installed);
  WriteProgramAction(current, kept);
  return InstallFor(signal, kept) == 0;
}

bool IsOurs(const siginfo_t& info) { return RequestOf(&info) != nullptr; }

bool HandlerIsOurs(int signal) {
  struct sigaction current;
  return sigaction(signal, nullptr, &current) == 0 && IsHandleSignal(current);
}

}  // namespace wallprof::capture
