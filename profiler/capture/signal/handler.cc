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

// The handlers that were there before, by signal: one that was used by an
// earlier profiler stays ours. Each is written before ours is installed.
struct sigaction g_previous[_NSIG];

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

// Not a sample: runs the handler that the program had, as the kernel would
// have, under the mask that it was installed with.
void PassOn(int signal, siginfo_t* info, void* context) {
  g_tallies.foreign.fetch_add(1, std::memory_order_relaxed);
  const struct sigaction& previous = g_previous[signal];
  const bool with_info = (previous.sa_flags & SA_SIGINFO) != 0;
  if (!with_info &&
      (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) {
    return;  // ours are signals whose default is to be ignored
  }
  // Blocked until now: everything. To be blocked: what was when the signal
  // came, what the handler asked for, and the signal itself.
  sigset_t mask = static_cast<ucontext_t*>(context)->uc_sigmask;
  sigorset(&mask, &mask, &previous.sa_mask);
  if ((previous.sa_flags & SA_NODEFER) == 0) sigaddset(&mask, signal);
  // Async-signal-safe by POSIX; our return restores the interrupted mask.
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if (with_info) {
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
  if ((current.sa_flags & SA_SIGINFO) != 0 &&
      current.sa_sigaction == HandleSignal) {
    return 0;
  }
  g_previous[signal] = current;
  struct sigaction ours = {};
  ours.sa_sigaction = HandleSignal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  // Nothing may run on top: a handler that jumps away would leave a request
  // half answered.
  sigfillset(&ours.sa_mask);
  return sigaction(signal, &ours, nullptr) == 0 ? 0 : errno;
}

bool IsOurs(const siginfo_t& info) { return RequestOf(&info) != nullptr; }

bool HandlerIsOurs(int signal) {
  struct sigaction current;
  return sigaction(signal, nullptr, &current) == 0 &&
         (current.sa_flags & SA_SIGINFO) != 0 &&
         current.sa_sigaction == HandleSignal;
}

}  // namespace wallprof::capture
