#include "profiler/capture/interrupter.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "profiler/capture/signal/handler.h"
#include "profiler/threads/cpu_clock.h"

namespace wallprof::capture {
namespace {

// As many running threads as can be outstanding at once, in the largest case;
// each may take a unit of RLIMIT_SIGPENDING.
constexpr size_t kMaxSlots = 256;
constexpr size_t kMinSlots = 4;

// The signal mask of a thread that does not answer is looked at again after
// this long: reading `status` takes 3 us.
constexpr int64_t kMaskRecheckNs = 100'000'000;

// A request that was not answered for this long may meet a mask that was set
// after it was made.
constexpr int64_t kUnansweredNs = 50'000'000;

// CPU time after which a thread has left the system call in which it slept, or
// has returned to user mode from it: ten times what that takes.
constexpr int64_t kPastSleepNs = 20'000;

// Calls that put another mask in the thread's place while they wait.
bool SetsMaskAside(const threads::SyscallState& state) {
  switch (state.number) {
    case SYS_rt_sigtimedwait:
    case SYS_rt_sigsuspend:
    case SYS_ppoll:
    case SYS_pselect6:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
      return true;
    default:
      return false;
  }
}

// Whether the thread has used so much CPU time. Waits while it is on a CPU, for
// as long as that takes at most.
bool RunsUntil(threads::Tid tid, int64_t clock_ns) {
  int64_t before = threads::CpuTimeOf(tid);
  while (before < clock_ns) {
    const int64_t clock = threads::CpuTimeOf(tid);
    if (clock <= before) return false;
    before = clock;
  }
  return true;
}

// The pool outlives every Interrupter, since a signal may come late.
Request* g_pool = nullptr;
size_t g_pool_size = 0;

absl::Status MakePool(size_t slots) {
  if (g_pool != nullptr) return absl::OkStatus();
  void* memory = mmap(nullptr, slots * sizeof(Request), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "mapping the pool of requests");
  }
  g_pool = static_cast<Request*>(memory);
  g_pool_size = slots;
  PublishRequests(g_pool, g_pool + slots);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Interrupter>> Interrupter::Make(
    int signal, size_t bytes, stacks::Recording& recording,
    threads::TaskDirectory& tasks) {
  const size_t wanted =
      std::clamp(bytes / sizeof(Request), kMinSlots, kMaxSlots);
  if (absl::Status status = MakePool(wanted); !status.ok()) return status;
  if (const int error = InstallHandler(signal); error != 0) {
    return absl::ErrnoToStatus(error, "installing the signal handler");
  }
  std::vector<RequestSlot> slots(std::min(wanted, g_pool_size));
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i].request = &g_pool[i];
    slots[i].request->state.store(Request::kIdle, std::memory_order_relaxed);
  }
  return std::unique_ptr<Interrupter>(
      new Interrupter(signal, std::move(slots), recording, tasks));
}

Interrupter::Interrupter(int signal, std::vector<RequestSlot> slots,
                         stacks::Recording& recording,
                         threads::TaskDirectory& tasks)
    : signal_(signal),
      slots_(std::move(slots)),
      recording_(recording),
      tasks_(tasks) {}

// Timers go with their slots; what was already sent finds no armed request.
Interrupter::~Interrupter() {
  for (RequestSlot& slot : slots_) {
    slot.timer.Delete();
    uint32_t armed = Request::kArmed;
    slot.request->state.compare_exchange_strong(armed, Request::kIdle,
                                                std::memory_order_relaxed);
  }
}

// The program's own handler must not meet what was asked for ours: timers that
// have not gone off yet never will.
void Interrupter::CheckHandler() {
  const bool was_taken = std::exchange(handler_taken_, !HandlerIsOurs(signal_));
  if (!handler_taken_ || was_taken) return;
  for (size_t i = 0; i < slots_used_; ++i) {
    if (slots_[i].holder != nullptr) Release(*slots_[i].holder);
  }
}

std::optional<Interrupter::ShownMask> Interrupter::ReadMask(
    const ObservedThread& thread) {
  threads::ProcText text;
  if (!tasks_.Read(thread.tid, "status", text)) return std::nullopt;
  const auto blocked = threads::ParseBlockedSignals(text.text());
  const auto sleeps = threads::ParseVoluntarySwitches(text.text());
  if (!blocked.has_value() || !sleeps.has_value()) return std::nullopt;
  return ShownMask{((*blocked >> (signal_ - 1)) & 1) != 0, *sleeps};
}

// A mask that is shown may have been put aside: while a thread waits in
// sigtimedwait or the like, from when it is woken there until it has run for a
// moment, and for another moment before it sleeps there. So that a thread does
// not mask the signal is believed when it is shown so
//   while the thread sleeps in a call that does not do that; or
//   twice, of a thread that has run for longer than those moments since it last
//   slept.
// nullopt: it cannot be told yet.
std::optional<bool> Interrupter::MasksSignal(ObservedThread& thread,
                                             int64_t now_ns) {
  const auto told = [&](bool masked) {
    thread.mask_checked_ns = now_ns;
    thread.mask_sleeps.reset();
    return masked;
  };
  const int64_t clock = threads::CpuTimeOf(thread.tid);
  const std::optional<ShownMask> first = ReadMask(thread);
  if (!first.has_value()) return std::nullopt;
  if (first->masked) return told(true);
  threads::ProcText text;
  if (!tasks_.Read(thread.tid, "syscall", text)) return told(false);
  const auto state = threads::ParseSyscall(text.text());
  if (!state.has_value() || SetsMaskAside(*state)) return std::nullopt;
  if (state->kind != threads::SyscallState::Kind::kRunning) {
    if (threads::CpuTimeOf(thread.tid) != clock) return std::nullopt;
    return told(false);
  }
  if (thread.mask_sleeps != first->sleeps) {
    thread.mask_sleeps = first->sleeps;
    thread.mask_clock_ns = threads::CpuTimeOf(thread.tid);
  }
  const int64_t enough = thread.mask_clock_ns + kPastSleepNs;
  if (!RunsUntil(thread.tid, enough)) return std::nullopt;
  const std::optional<ShownMask> second = ReadMask(thread);
  if (!second.has_value()) return std::nullopt;
  if (second->masked) return told(true);
  if (second->sleeps != first->sleeps) return std::nullopt;
  return told(false);
}

bool Interrupter::MayInterrupt(ObservedThread& thread,
                               const StackRegions& regions, int64_t now_ns) {
  if (handler_taken_) return false;
  const StackRegion* region =
      thread.stack_sp == 0 ? nullptr : regions.Find(thread.stack_sp);
  const bool small = region != nullptr ? region->size() < kMinInterruptibleStack
                                       : regions.has_small_stacks();
  if (small || kept_off_.contains(thread.tid)) {
    thread.untouchable = Untouchable::kSmallStack;
    return false;
  }
  // Of a masking thread at every look: one that is being started masks all
  // signals for a moment, and so does the one that starts it.
  if (thread.mask_checked_ns == 0 || thread.untouchable != Untouchable::kNo) {
    const std::optional<bool> masks = MasksSignal(thread, now_ns);
    if (!masks.has_value()) return false;
    thread.untouchable = *masks ? Untouchable::kMasked : Untouchable::kNo;
  }
  return thread.untouchable == Untouchable::kNo;
}

// The thread's own slot, else a free one, else the one whose holder was not
// asked for longest. nullptr when all are outstanding.
RequestSlot* Interrupter::SlotFor(ObservedThread& thread) {
  if (thread.slot != nullptr) return thread.slot;
  RequestSlot* best = nullptr;
  for (size_t i = 0; i < slots_.size(); ++i) {
    RequestSlot& slot = slots_[i];
    if (slot.holder == nullptr) {
      best = &slot;
      slots_used_ = std::max(slots_used_, i + 1);
      break;
    }
    if (!slot.outstanding() &&
        (best == nullptr || slot.used_ns < best->used_ns)) {
      best = &slot;
    }
  }
  if (best == nullptr) return nullptr;
  if (best->holder != nullptr) Release(*best->holder);
  best->holder = &thread;
  thread.slot = best;
  return best;
}

void Interrupter::Release(ObservedThread& thread) {
  RequestSlot* slot = std::exchange(thread.slot, nullptr);
  if (slot == nullptr) return;
  slot->timer.Delete();
  slot->holder = nullptr;
  // A handler that is copying just now keeps the slot's memory busy; the
  // answer is then nobody's, and the slot free once it is done.
  uint32_t armed = Request::kArmed;
  slot->request->state.compare_exchange_strong(armed, Request::kIdle,
                                               std::memory_order_acq_rel);
}

void Interrupter::KeepOff(threads::Tid tid, bool off) {
  if (!off) {
    kept_off_.erase(tid);
    return;
  }
  kept_off_.insert(tid);
  for (size_t i = 0; i < slots_used_; ++i) {
    ObservedThread* holder = slots_[i].holder;
    if (holder != nullptr && holder->tid == tid) Release(*holder);
  }
}

void Interrupter::Forget(ObservedThread& thread) {
  Release(thread);
  kept_off_.erase(thread.tid);
}

// What may be copied without a fault at any time: the main thread's stack, or
// a stack with its thread's control block at its top, both of which stay
// mapped while the thread lives. Of other stacks only SP's page is sure.
void Interrupter::PublishBounds(Request& request, const ObservedThread& thread,
                                const StackRegions& regions) {
  request.stack_low = 0;
  request.stack_high = 0;
  if (thread.stack_sp == 0) return;
  const StackRegion* region = regions.Find(thread.stack_sp);
  if (region == nullptr) return;
  const bool has_control_block = thread.thread_pointer > thread.stack_sp &&
                                 thread.thread_pointer < region->limit;
  if (!region->is_main && !has_control_block) return;
  request.stack_low = region->start;
  request.stack_high = region->is_main ? region->limit : thread.thread_pointer;
}

bool Interrupter::Send(RequestSlot& slot, ObservedThread& thread,
                       Delivery delivery) {
  if (delivery == Delivery::kSignal) {
    return SignalThread(thread.tid, signal_, slot.request) == 0;
  }
  if (!slot.timer.exists() &&
      slot.timer.Create(thread.tid, signal_, slot.request) != 0) {
    return false;
  }
  return slot.timer.Arm() == 0;
}

// A request that has no answer: the thread may mask the signal by now. The
// slot stays the thread's, since a signal that is pending for it may still be
// delivered and must not be taken for another's.
void Interrupter::Reconsider(ObservedThread& thread, int64_t now_ns) {
  const std::optional<bool> masks = MasksSignal(thread, now_ns);
  if (!masks.has_value()) return;
  if (*masks) {
    thread.untouchable = Untouchable::kMasked;
    thread.slot->timer.Disarm();
  } else if (thread.untouchable == Untouchable::kMasked) {
    thread.untouchable = Untouchable::kNo;
    if (thread.slot->timer.exists()) thread.slot->timer.Arm();
  }
}

void Interrupter::Ask(ObservedThread& thread, const StackRegions& regions,
                      int64_t now_ns) {
  // A signal comes at once, and so only to a thread that is on a CPU just now.
  if (delivery_ == Delivery::kSignal &&
      threads::CpuTimeOf(thread.tid) == threads::CpuTimeOf(thread.tid)) {
    return;
  }
  thread.asked_blocked = false;
  AskBy(thread, regions, now_ns, delivery_);
}

void Interrupter::AskBlocked(ObservedThread& thread,
                             const StackRegions& regions, int64_t now_ns) {
  const bool asked_running = !std::exchange(thread.asked_blocked, true);
  if (asked_running && thread.slot != nullptr && thread.slot->outstanding()) {
    // Its timer would not go off before it runs again; the request is the same.
    Send(*thread.slot, thread, Delivery::kSignal);
    return;
  }
  AskBy(thread, regions, now_ns, Delivery::kSignal);
}

void Interrupter::AskBy(ObservedThread& thread, const StackRegions& regions,
                        int64_t now_ns, Delivery delivery) {
  if (thread.slot != nullptr && thread.slot->outstanding()) {
    thread.slot->late = true;
    if (now_ns - thread.slot->asked_ns >= kUnansweredNs &&
        now_ns - thread.mask_checked_ns >= kMaskRecheckNs) {
      Reconsider(thread, now_ns);
    }
    return;
  }
  if (!MayInterrupt(thread, regions, now_ns)) return;
  RequestSlot* slot = SlotFor(thread);
  if (slot == nullptr) return;  // its turn comes when others have answered
  Request& request = *slot->request;
  PublishBounds(request, thread, regions);
  request.labels = thread.labels;
  slot->asked_ns = now_ns;
  slot->used_ns = now_ns;
  slot->late = false;
  request.state.store(Request::kArmed, std::memory_order_release);
  if (Send(*slot, thread, delivery)) {
    recording_.tallies().interrupts.add(1);
  } else {
    recording_.tallies().lost_unseen.add(1);
    Release(thread);
  }
}

void Interrupter::Harvest(
    const std::function<void(ObservedThread&, const Request&)>& take) {
  for (size_t i = 0; i < slots_used_; ++i) {
    RequestSlot& slot = slots_[i];
    if (slot.request->state.load(std::memory_order_acquire) != Request::kDone) {
      continue;
    }
    if (slot.late) recording_.tallies().lost_late.add(1);
    if (slot.holder != nullptr) take(*slot.holder, *slot.request);
    slot.request->state.store(Request::kIdle, std::memory_order_release);
  }
}

size_t Interrupter::touched_bytes() const {
  // Most answers take a page or two of a slot.
  constexpr size_t kTypicalBytes = 8 << 10;
  return slots_used_ * kTypicalBytes;
}

}  // namespace wallprof::capture
