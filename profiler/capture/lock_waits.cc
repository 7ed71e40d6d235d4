#include "profiler/capture/lock_waits.h"

#include <algorithm>
#include <utility>

namespace wallprof::capture {
namespace {

using stacks::Frame;
using stacks::PseudoFrame;
using stacks::ThreadState;

// A holder that has not answered for so many ticks does not get to run, or
// cannot be asked.
constexpr int64_t kMaxPendingTicks = 20;

}  // namespace

LockWaits::LockWaits(stacks::Recording& recording, Accountant& accountant,
                     const unwind::Memory& memory,
                     const LockFunctions& functions, Threads threads)
    : recording_(recording),
      accountant_(accountant),
      memory_(memory),
      functions_(functions),
      threads_(std::move(threads)) {}

void LockWaits::Enter(ObservedThread& thread,
                      const threads::SyscallState& state, int64_t before_ns) {
  const std::optional<Lock> lock =
      LockOf(state, functions_.KindOf(recording_.table().Frames(thread.stack)));
  if (!lock.has_value()) return;
  thread.lock_wait = LockWait();
  thread.lock_wait.lock = lock;
  thread.lock_wait.stack = thread.stack;
  thread.lock_wait.credited_ns = before_ns;
  waiters_.push_back(&thread);
}

void LockWaits::Leave(ObservedThread& thread, int64_t now_ns) {
  LockWait& wait = thread.lock_wait;
  if (!wait.lock.has_value()) return;
  const int64_t left = (now_ns - wait.credited_ns) / 2;
  if (wait.pair != stacks::kNoRoom) {
    recording_.table().Add(wait.pair, {0, 0, left});
  } else if (wait.chain.count > 0) {
    wait.pending_ns += left;
    Resolve(thread, HolderChain());
  }
  wait.lock.reset();
  waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &thread));
}

void LockWaits::Clear() {
  for (ObservedThread* waiter : waiters_) waiter->lock_wait.lock.reset();
  waiters_.clear();
}

uint64_t LockWaits::LockAddress(const threads::SyscallState& state,
                                stacks::StackId stack) const {
  const std::optional<Lock> lock =
      LockOf(state, functions_.KindOf(recording_.table().Frames(stack)));
  return lock.has_value() ? lock->address : 0;
}

threads::Tid LockWaits::HolderOf(const ObservedThread& thread) const {
  return thread.lock_wait.lock.has_value()
             ? OwnerOf(*thread.lock_wait.lock, memory_)
             : 0;
}

// Many threads wait for few locks: each is read once a tick.
threads::Tid LockWaits::Owner(const Lock& lock) {
  const auto [entry, added] = owners_.try_emplace(lock.address, 0);
  if (added) entry->second = OwnerOf(lock, memory_);
  return entry->second;
}

LockWaits::Found LockWaits::Find(const ObservedThread& waiter) {
  Found found;
  const ObservedThread* at = &waiter;
  while (found.chain.count < HolderChain::kMaxLinks) {
    const threads::Tid tid = Owner(*at->lock_wait.lock);
    const ObservedThread* holder = tid == 0 ? nullptr : threads_.find(tid);
    found.chain.links[static_cast<size_t>(found.chain.count++)] =
        holder == nullptr ? 0 : tid;
    if (holder == nullptr) break;
    if (!holder->settled || !threads_.unmoved(*holder)) {
      if (holder->untouchable == Untouchable::kNo) found.running = holder;
      break;
    }
    if (!holder->lock_wait.lock.has_value()) break;
    at = holder;
  }
  if (found.running == nullptr) {
    found.stack = Compose(found.chain, StackOf(found.chain.last()), false);
  }
  return found;
}

stacks::StackId LockWaits::StackOf(threads::Tid tid) {
  const ObservedThread* holder = threads_.find(tid);
  if (holder == nullptr) return accountant_.PseudoStack(PseudoFrame::kUnknown);
  if (holder->settled && holder->stack != stacks::kNoStack) {
    return holder->stack;
  }
  switch (holder->untouchable) {
    case Untouchable::kNo:
      break;
    case Untouchable::kMasked:
      return accountant_.PseudoStack(PseudoFrame::kMasked);
    case Untouchable::kSmallStack:
      return accountant_.PseudoStack(PseudoFrame::kSmallStack);
  }
  return accountant_.PseudoStack(PseudoFrame::kUnseen);
}

// The holders' stacks in one, leaf first, and so beginning with `last`, that of
// the last holder.
stacks::StackId LockWaits::Compose(const HolderChain& chain,
                                   stacks::StackId last, bool later) {
  std::vector<Frame> frames;
  const auto append = [&](stacks::StackId stack) {
    const auto more = recording_.table().Frames(stack);
    frames.insert(frames.end(), more.begin(), more.end());
  };
  append(last);
  if (later) frames.push_back(Frame::Pseudo(PseudoFrame::kLater));
  for (int i = chain.count - 2; i >= 0; --i) {
    frames.push_back(Frame::Pseudo(PseudoFrame::kHeldBy));
    append(StackOf(chain.links[static_cast<size_t>(i)]));
  }
  return recording_.table().Intern(frames);
}

stacks::EntryId LockWaits::PairOf(const ObservedThread& waiter,
                                  stacks::StackId holder,
                                  ThreadState holder_state) {
  stacks::SampleKey key;
  key.stack = waiter.lock_wait.stack;
  key.thread = waiter.record;
  if (waiter.labels != nullptr) {
    key.labels = waiter.labels->load(std::memory_order_relaxed);
  }
  key.wait = waiter.wait;
  key.target = waiter.target;
  key.state = holder_state;
  // What has no room still is a wait behind somebody.
  key.holder = holder == stacks::kNoStack
                   ? accountant_.PseudoStack(PseudoFrame::kUnknown)
                   : holder;
  return accountant_.EntryOf(key);
}

void LockWaits::Settle(ObservedThread& waiter, stacks::EntryId pair) {
  LockWait& wait = waiter.lock_wait;
  recording_.table().Add(pair, {wait.pending_samples, 0, wait.pending_ns});
  wait.pending_samples = 0;
  wait.pending_ns = 0;
}

// Whether the running holder has answered since its stack was wanted.
bool LockWaits::Answered(const LockWait& wait) const {
  const ObservedThread* holder = threads_.find(wait.chain.last());
  return holder != nullptr && holder->answered_tick > wait.pending_tick &&
         holder->answer_stack != stacks::kNoStack;
}

// What is pending goes to the stack that the running holder has answered with.
// `now` is who holds the lock now, if the waiter still waits.
void LockWaits::Resolve(ObservedThread& waiter, const HolderChain& now) {
  LockWait& wait = waiter.lock_wait;
  if (wait.pending_samples == 0 && wait.pending_ns == 0) return;
  stacks::StackId stack = accountant_.PseudoStack(PseudoFrame::kUnknown);
  if (Answered(wait)) {
    stack = Compose(wait.chain, threads_.find(wait.chain.last())->answer_stack,
                    /*later=*/!(now == wait.chain));
  }
  Settle(waiter, PairOf(waiter, stack, ThreadState::kRunning));
}

// The first half of the time since the last tick goes where that had it.
void LockWaits::CreditBefore(ObservedThread& waiter, const Found& found,
                             int64_t half_ns, int64_t tick) {
  LockWait& wait = waiter.lock_wait;
  if (wait.pair != stacks::kNoRoom) {
    recording_.table().Add(wait.pair, {0, 0, half_ns});
    return;
  }
  if (wait.chain.count == 0) return;  // this tick is the first
  wait.pending_ns += half_ns;
  if (Answered(wait) || !(found.chain == wait.chain) ||
      tick - wait.pending_tick > kMaxPendingTicks) {
    Resolve(waiter, found.chain);
  } else if (found.running == nullptr) {
    // It has gone to sleep and still holds the lock.
    Settle(waiter, PairOf(waiter, found.stack, ThreadState::kRunning));
  }
}

// Those that this tick has left out.
void LockWaits::LookAtHolders(int64_t tick) {
  owners_.clear();
  std::vector<ObservedThread*> left_out;
  for (const ObservedThread* waiter : waiters_) {
    ObservedThread* holder = threads_.find(Owner(*waiter->lock_wait.lock));
    if (holder != nullptr && holder->last_look_tick != tick) {
      left_out.push_back(holder);
    }
  }
  for (ObservedThread* holder : left_out) {
    // A look may change who waits.
    if (holder->last_look_tick != tick) threads_.look(*holder);
  }
}

void LockWaits::Update(int64_t now_ns, int64_t tick) {
  if (waiters_.empty()) return;
  LookAtHolders(tick);
  owners_.clear();
  for (ObservedThread* waiter : waiters_) {
    LockWait& wait = waiter->lock_wait;
    const Found found = Find(*waiter);
    // After it: so at the moment that the owner was read, all was as it is.
    if (!waiter->settled || !threads_.unmoved(*waiter)) continue;
    const int64_t interval = now_ns - std::exchange(wait.credited_ns, now_ns);
    const int64_t before = interval / 2;
    CreditBefore(*waiter, found, before, tick);
    if (found.running != nullptr) {
      if (wait.pending_samples == 0) wait.pending_tick = tick;
      wait.pair = stacks::kNoRoom;
      wait.pending_ns += interval - before;
      ++wait.pending_samples;
    } else {
      wait.pair = PairOf(*waiter, found.stack, ThreadState::kBlocked);
      recording_.table().Add(wait.pair, {1, 0, interval - before});
    }
    wait.chain = found.chain;
  }
}

}  // namespace wallprof::capture
