// Behind whom threads wait: for each one blocked on a lock, the stack of the
// one that holds it.
//
// A waiting thread's clock stands still while owners come and go, so the owner
// is read at every tick, also of threads that are left out of it. A holder that
// is blocked has a known stack, and it is that of the moment, since holder,
// waiter and owner are looked at again after it. A holder that runs has a stack
// only when it answers, somewhat later: its time waits for that. If it still
// holds the lock then, and nothing about the waiter has changed, the stack is
// taken for that of the holding; else it is marked [later].
//
// The waiting time is accounted here a second time, by pairs of stacks, under
// keys with a holder; the weights are those of all looks: half the time to the
// look before and half to the one after.
#ifndef WALLPROF_PROFILER_CAPTURE_LOCK_WAITS_H_
#define WALLPROF_PROFILER_CAPTURE_LOCK_WAITS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/capture/accountant.h"
#include "profiler/capture/lock_functions.h"
#include "profiler/capture/lock_owner.h"
#include "profiler/capture/observed_thread.h"
#include "profiler/stacks/recording.h"
#include "profiler/unwind/memory.h"

namespace wallprof::capture {

// For the sampler's thread alone.
class LockWaits {
 public:
  // What the sampler knows, for Update.
  struct Threads {
    std::function<ObservedThread*(threads::Tid)> find;  // nullptr: none such
    std::function<void(ObservedThread&)> look;          // looks at it now
    // Whether a settled thread has not run since its last look.
    std::function<bool(const ObservedThread&)> unmoved;
  };

  // The arguments must outlive it.
  LockWaits(stacks::Recording& recording, Accountant& accountant,
            const unwind::Memory& memory, const LockFunctions& functions,
            Threads threads);

  // To be called once, when modules are known. See LockFunctions::FollowJumps.
  template <typename FunctionAt>
  void FindFunctions(FunctionAt function_at) {
    functions_.FollowJumps(function_at);
  }

  // There are new modules.
  void SetModules() { functions_.SetModules(recording_); }

  // A look has found the thread blocked in `state`, the look before was at
  // `before_ns`. Nothing happens unless it waits for a lock.
  void Enter(ObservedThread& thread, const threads::SyscallState& state,
             int64_t before_ns);

  // The thread has run since, or ended; `now_ns` is the look that shows it.
  void Leave(ObservedThread& thread, int64_t now_ns);

  // Once a tick, after the looks: finds and accounts each waiter's holder.
  void Update(int64_t now_ns, int64_t tick);

  // The table has forgotten all stacks.
  void Clear();

  // The address of the lock that a thread waits for that is blocked in `state`
  // with this stack; 0: none.
  uint64_t LockAddress(const threads::SyscallState& state,
                       stacks::StackId stack) const;

  // Who holds the lock that the thread waits for; 0: no lock, or not known.
  threads::Tid HolderOf(const ObservedThread& thread) const;

 private:
  // A waiter's holders, and how the last one's stack is known.
  struct Found {
    HolderChain chain;
    stacks::StackId stack =
        stacks::kNoStack;                     // kNoStack: not before it answers
    const ObservedThread* running = nullptr;  // the one that must answer
  };

  void LookAtHolders(int64_t tick);
  Found Find(const ObservedThread& waiter);
  threads::Tid Owner(const Lock& lock);
  // A holder's stack, alone; one that runs may have a pseudo-frame only.
  stacks::StackId StackOf(threads::Tid holder);
  stacks::StackId Compose(const HolderChain& chain, stacks::StackId last,
                          bool later);
  stacks::EntryId PairOf(const ObservedThread& waiter, stacks::StackId holder,
                         stacks::ThreadState holder_state);
  bool Answered(const LockWait& wait) const;
  void CreditBefore(ObservedThread& waiter, const Found& found, int64_t half_ns,
                    int64_t tick);
  void Resolve(ObservedThread& waiter, const HolderChain& now);
  void Settle(ObservedThread& waiter, stacks::EntryId pair);

  stacks::Recording& recording_;
  Accountant& accountant_;
  const unwind::Memory& memory_;
  LockFunctions functions_;
  const Threads threads_;
  std::vector<ObservedThread*> waiters_;
  absl::flat_hash_map<uint64_t, threads::Tid> owners_;  // by lock, at this tick
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_LOCK_WAITS_H_
