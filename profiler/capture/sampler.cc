#include "profiler/capture/sampler.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "profiler/capture/disk_wait.h"
#include "profiler/capture/look_gap.h"
#include "profiler/threads/cpu_clock.h"
#include "profiler/unwind/libunwind.h"

namespace wallprof::capture {
namespace {

using stacks::PseudoFrame;
using stacks::ThreadState;
using threads::SyscallState;

// CPU time that no answer has explained, at which a blocked thread is asked.
constexpr int64_t kAskAnywayNs = 2'000'000;

}  // namespace

Sampler::Sampler(stacks::Recording& recording, OwnThreads& own_threads,
                 threads::TaskDirectory& tasks, Interrupter& interrupter,
                 Kernel& kernel, unwind::LoaderWatch loader,
                 const LockFunctions& lock_functions)
    : recording_(recording),
      own_threads_(own_threads),
      tasks_(tasks),
      interrupter_(interrupter),
      kernel_(kernel),
      loader_(loader),
      modules_(loader),
      unwinder_(memory_, recording),
      outside_(memory_, unwinder_, recording),
      accountant_(recording),
      lock_waits_(
          recording, accountant_, memory_, lock_functions,
          {[this](threads::Tid tid) { return FindThread(tid); },
           [this](ObservedThread& thread) { Look(thread); },
           [this](const ObservedThread& thread) { return HasNotRun(thread); }}),
      wait_targets_(recording),
      files_(tasks),
      random_(static_cast<unsigned>(threads::MonotonicNs())) {
  unwind::LibUnwind::UseFromSampler();
  if (memory_.open_error() != 0) {
    kernel_.Add({"proc-mem", strerrorname_np(memory_.open_error()),
                 memory_.works() ? "process_vm_readv" : "nothing"});
  }
  if (!loader_.found()) {
    kernel_.Add({"loader-count", "not found", "compare-maps"});
  }
  previous_ns_ = recording.start_ns();
  modules_.Reload([this](const std::string& maps) { SetModules(maps); });
  lock_waits_.FindFunctions(
      [this](uint64_t pc) -> std::optional<LockFunctions::Bounds> {
        const unwind::FrameDescription* found = unwinder_.FunctionAt(pc);
        if (found == nullptr) return std::nullopt;
        return LockFunctions::Bounds{found->start, found->limit};
      });
}

Sampler::~Sampler() { unwind::LibUnwind::ForgetSampler(); }

void Sampler::Tick(int64_t now_ns, bool everyone, bool targets) {
  const int64_t cpu_before = threads::NowNs(CLOCK_THREAD_CPUTIME_ID);
  recording_.BeginTick();
  if (recording_.cpu_only() && !everyone && NobodyRan()) {
    return recording_.EndTick(now_ns, false);
  }
  now_ns_ = now_ns;
  ++tick_;
  modules_.Update([this](const std::string& maps) { SetModules(maps); });
  interrupter_.CheckHandler();
  interrupter_.Harvest([this](ObservedThread& thread, const Request& answer) {
    Take(thread, answer);
  });
  UpdateThreads();
  UpdateLabels();
  UpdateRegions();
  // Now and then all, since only then can it be told what ended threads used.
  constexpr int64_t kExitedAfterNs = 1'000'000'000;
  everyone |= exited_due_ && now_ns_ - exited_at_ns_ > kExitedAfterNs;
  const bool add_targets = targets && !targets_wanted_;
  targets_wanted_ = targets;
  const bool whole = LookAtAllDue(everyone);
  if (add_targets) AddTargets();
  lock_waits_.Update(now_ns_, tick_);
  if (exited_due_ && whole) AccountExited();
  RemoveEnded();
  recording_.tallies().threads.set(static_cast<int64_t>(order_.size()));
  recording_.tallies().sampler_cpu_ns.set(own_threads_.CpuTimeNs());
  budget_.Update(threads::NowNs(CLOCK_THREAD_CPUTIME_ID) - cpu_before,
                 now_ns - previous_ns_);
  previous_ns_ = now_ns;
  recording_.EndTick(now_ns, whole);
}

// Whether the program has used no CPU time since this last said that it has.
// Then all that there is to find is that threads are blocked.
bool Sampler::NobodyRan() {
  // What the clocks of the process and of our own threads are apart by, since
  // they are not read at once.
  constexpr int64_t kApartNs = 50'000;
  const int64_t program_ns =
      threads::NowNs(CLOCK_PROCESS_CPUTIME_ID) - own_threads_.CpuTimeNs();
  if (program_ns - program_cpu_ns_ < kApartNs) return true;
  program_cpu_ns_ = program_ns;
  return false;
}

// False when some were left out. From another thread on and in another
// direction each time: a fixed order would show threads in step with each other
// that are not.
bool Sampler::LookAtAllDue(bool everyone) {
  const size_t count = order_.size();
  if (count == 0) return true;
  const size_t start = random_() % count;
  const bool forward = random_() % 2 == 0;
  const int64_t longest_gap = LongestGapNs(count);
  bool whole = true;
  for (size_t i = 0, at = start; i < count; ++i) {
    Turn& turn = order_[at];
    if (forward) {
      if (++at == count) at = 0;
    } else {
      at = at == 0 ? count - 1 : at - 1;
    }
    if (now_ns_ < turn.due_ns && !everyone) {
      whole = false;
      continue;
    }
    if (turn.thread->ended) continue;
    Look(*turn.thread);
    turn.due_ns =
        now_ns_ + TakeGap(*turn.thread, now_ns_, longest_gap, budget_.gap_ns());
  }
  return whole;
}

void Sampler::CatchUp() {
  if (tick_ == 0) return;
  recording_.BeginTick();
  for (const Turn& turn : order_) {
    ObservedThread& thread = *turn.thread;
    if (thread.ended || !thread.settled || thread.last_look_tick == tick_) {
      continue;
    }
    if (!HasNotRun(thread)) continue;
    accountant_.Stay(thread, previous_ns_, tick_ - thread.last_look_tick);
    thread.last_look_tick = tick_;
  }
  recording_.EndCatchUp();
}

// --- looks -------------------------------------------------------------------

// False when the thread is gone.
bool Sampler::ReadWitness(const ObservedThread& thread, Witness& witness) {
  witness.cpu_ns = threads::CpuTimeOf(thread.tid);
  if (witness.cpu_ns < 0) return false;
  if (kernel_.cpu_clock() == Kernel::CpuClock::kTrusted) return true;
  threads::ProcText text;
  if (!files_.Read(thread.tid, FileCache::File::kSchedStat, tick_, text)) {
    return false;
  }
  const auto sched = threads::ParseSchedStat(text.text());
  witness.run_count = sched.has_value() ? sched->run_count : 0;
  return true;
}

// Of a settled thread: whether its last look still holds.
bool Sampler::HasNotRun(const ObservedThread& thread) {
  if (threads::CpuTimeOf(thread.tid) != thread.witness.cpu_ns) return false;
  if (kernel_.cpu_clock() != Kernel::CpuClock::kFails) return true;
  Witness witness;
  return ReadWitness(thread, witness) && witness == thread.witness;
}

void Sampler::Look(ObservedThread& thread) {
  Witness witness;
  // The clock first, which is all that is read of most threads.
  witness.cpu_ns = threads::CpuTimeOf(thread.tid);
  const bool same_clock =
      thread.settled && witness.cpu_ns == thread.witness.cpu_ns;
  const bool clock_suffices =
      same_clock && kernel_.cpu_clock() != Kernel::CpuClock::kFails;
  if (!clock_suffices && !ReadWitness(thread, witness)) return End(thread);
  const int64_t ticks = tick_ - std::exchange(thread.last_look_tick, tick_);
  if (clock_suffices || (thread.settled && witness == thread.witness)) {
    recording_.tallies().unchanged.add(ticks);
    accountant_.Stay(thread, now_ns_, ticks);
    return;
  }
  thread.moved_ns = now_ns_;
  lock_waits_.Leave(thread, now_ns_);
  // A clock that runs backwards is another thread's that has the number now.
  if (witness.cpu_ns < thread.witness.cpu_ns) return End(thread);
  const int64_t ran = witness.cpu_ns - thread.witness.cpu_ns;
  thread.pending_cpu_ns += ran;
  recording_.thread(thread.record).cpu_ns.add(ran);
  AddWaits(thread);
  thread.witness = witness;
  thread.settled = false;
  RefreshName(thread);
  if (thread.ended) return;
  if (!kernel_.has_syscall_file()) return LookBySignal(thread);
  threads::ProcText text;
  if (!files_.Read(thread.tid, FileCache::File::kSyscall, tick_, text)) {
    if (errno == ESRCH || errno == ENOENT || DeniedOfOneOnly()) {
      return End(thread);
    }
    kernel_.LoseSyscallFile(errno);
    return LookBySignal(thread);
  }
  const std::optional<SyscallState> state = threads::ParseSyscall(text.text());
  if (!state.has_value()) return LookUnseen(thread);
  if (state->kind == SyscallState::Kind::kRunning) return LookRunning(thread);
  if (state->pc == 0 && state->sp == 0) return End(thread);  // a zombie
  LookBlocked(thread, *state);
}

// Of a thread that is ending procfs may deny what it tells of others; what it
// denies of our own thread it denies of all. Leaves errno as it is.
bool Sampler::DeniedOfOneOnly() {
  const int error = errno;
  threads::ProcText text;
  const bool works = tasks_.Read(threads::OwnTid(), "syscall", text);
  errno = error;
  return works;
}

void Sampler::LookBlocked(ObservedThread& thread, const SyscallState& state) {
  thread.stack_sp = state.sp;
  const auto unmoved = [&] {
    Witness again;
    return ReadWitness(thread, again) && again == thread.witness &&
           modules_.AreKnown();
  };
  const OutsideLook::Outcome outcome = outside_.Look(thread, state, unmoved);
  switch (outcome) {
    case OutsideLook::Outcome::kMoved:
      return LookRunning(thread);
    case OutsideLook::Outcome::kUnseen:
      recording_.tallies().lost_unseen.add(1);
      return LookUnseen(thread);
    case OutsideLook::Outcome::kSame:
      recording_.tallies().memo_hits.add(1);
      break;
    case OutsideLook::Outcome::kWalked:
      if (outside_.met_unknown_code()) modules_.MetUnknownCode();
      if (!thread.memo.complete) recording_.tallies().lost_truncated.add(1);
      break;
  }
  const bool in_call = state.kind == SyscallState::Kind::kInSyscall;
  thread.target = TargetOf(thread, state);
  const int64_t before_ns = thread.last_look_ns;
  EnterBlocked(thread, thread.memo.stack,
               WaitsForDisk(tasks_, thread.tid, state) ? ThreadState::kDisk
                                                       : ThreadState::kBlocked,
               in_call ? static_cast<uint16_t>(thread.memo.syscall)
                       : stacks::kWaitPageFault);
  thread.truncated = !thread.memo.complete;
  lock_waits_.Enter(thread, state, before_ns);
  // Threads that run in bursts are seldom found running. Their clock's timer
  // may be set all the same, since it cannot go off while they are blocked.
  if (thread.pending_cpu_ns >= kAskAnywayNs &&
      interrupter_.delivery() == Interrupter::Delivery::kCpuTimer) {
    interrupter_.Ask(thread, regions_, now_ns_);
  }
}

void Sampler::EnterBlocked(ObservedThread& thread, stacks::StackId stack,
                           ThreadState state, uint16_t wait) {
  stacks::SampleKey key{stack, thread.record, 0, wait, state};
  key.target = thread.target;
  if (thread.labels != nullptr) {
    key.labels = thread.labels->load(std::memory_order_relaxed);
  }
  SetState(thread, state, wait);
  thread.stack = stack;
  accountant_.MoveTo(thread, accountant_.EntryOf(key), now_ns_);
  thread.settled = true;
}

// Of a thread that is blocked in `state`, with the stack that is remembered.
stacks::StackId Sampler::TargetOf(const ObservedThread& thread,
                                  const SyscallState& state) {
  if (!targets_wanted_ || state.kind != SyscallState::Kind::kInSyscall) {
    return stacks::kNoStack;
  }
  if (const uint64_t lock = lock_waits_.LockAddress(state, thread.memo.stack)) {
    return wait_targets_.Of(threads::WaitWords::Lock(lock));
  }
  SyscallState call = state;
  call.number = thread.memo.syscall;  // what was restarted, not restart_syscall
  const auto joined = static_cast<threads::Tid>(call.arguments[2]);
  return wait_targets_.Of(
      threads::WordsOf(call, FindThread(joined) != nullptr));
}

// Of those that wait already; later looks tell it of the others.
void Sampler::AddTargets() {
  for (const Turn& turn : order_) {
    ObservedThread& thread = *turn.thread;
    if (thread.ended || !thread.settled ||
        thread.place.kind != Place::Kind::kEntry) {
      continue;
    }
    threads::ProcText text;
    if (!files_.Read(thread.tid, FileCache::File::kSyscall, tick_, text)) {
      continue;
    }
    const std::optional<SyscallState> state =
        threads::ParseSyscall(text.text());
    if (!state.has_value() || !HasNotRun(thread)) continue;
    stacks::SampleKey key;
    stacks::Counts counts;
    if (!recording_.table().Read(thread.place.entry, key, counts)) continue;
    key.target = thread.target = TargetOf(thread, *state);
    const stacks::EntryId entry = recording_.table().Find(key);
    if (entry != stacks::kNoRoom) thread.place.entry = entry;
  }
}

// The thread is blocked, and its stack cannot be read.
void Sampler::LookUnseen(ObservedThread& thread) {
  SetState(thread, ThreadState::kBlocked, stacks::kNoWait);
  accountant_.FoundRunning(thread, now_ns_);
  accountant_.WriteOff(thread, PseudoFrame::kUnseen);
}

// Where procfs does not tell who is blocked. A clock that moves between two
// readings is that of a running thread; others are asked by a signal, which
// wakes them, once after each time that they ran.
void Sampler::LookBySignal(ObservedThread& thread) {
  if (threads::CpuTimeOf(thread.tid) != threads::CpuTimeOf(thread.tid)) {
    return LookRunning(thread);
  }
  SetState(thread, ThreadState::kBlocked, stacks::kNoWait);
  accountant_.FoundRunning(thread, now_ns_);
  interrupter_.AskBlocked(thread, regions_, now_ns_);
}

void Sampler::SetState(ObservedThread& thread, ThreadState state,
                       uint16_t wait) {
  // A thread that ran in between waits anew, though for the same.
  if (state == thread.state && wait == thread.wait &&
      state != ThreadState::kBlocked) {
    return;
  }
  thread.state = state;
  thread.wait = wait;
  thread.state_since_ns = now_ns_;
}

}  // namespace wallprof::capture
