// Stacks of running threads: asks, and takes the answers.
//
// A request is a slot of memory with a timer on the thread's CPU clock. Slots
// are few and handed on: a thread keeps its slot until another running thread
// needs it. One outstanding request a thread; nothing here waits.
#ifndef WALLPROF_PROFILER_CAPTURE_INTERRUPTER_H_
#define WALLPROF_PROFILER_CAPTURE_INTERRUPTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/capture/observed_thread.h"
#include "profiler/capture/signal/cpu_timer.h"
#include "profiler/capture/signal/request.h"
#include "profiler/capture/stack_regions.h"
#include "profiler/stacks/recording.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

// A request, its timer and its holder.
class RequestSlot {
 public:
  Request* request = nullptr;
  CpuTimer timer;
  ObservedThread* holder = nullptr;
  int64_t used_ns = 0;   // when last asked
  int64_t asked_ns = 0;  // of the outstanding request
  bool late = false;     // it was unanswered at a later look

  bool outstanding() const {
    const uint32_t state = request->state.load(std::memory_order_acquire);
    return state != Request::kIdle;
  }
};

class Interrupter {
 public:
  enum class Delivery {
    kCpuTimer,  // cannot wake or interrupt a system call
    kSignal,    // rt_tgsigqueueinfo where the CPU clock moves: may, rarely
  };

  // Slots are at most as many as fit `bytes`. The pool is made once a process
  // and never given back: a late signal must find it.
  static absl::StatusOr<std::unique_ptr<Interrupter>> Make(
      int signal, size_t bytes, stacks::Recording& recording,
      threads::TaskDirectory& tasks);

  ~Interrupter();

  void set_delivery(Delivery delivery) { delivery_ = delivery; }
  Delivery delivery() const { return delivery_; }

  // Asks a thread found running for its stack, unless it was asked already or
  // must not be; then says why in `thread.untouchable`.
  void Ask(ObservedThread& thread, const StackRegions& regions, int64_t now_ns);

  // The same for a thread that may sleep, where there is no other way to see
  // its stack: by a signal that may end its system call early.
  void AskBlocked(ObservedThread& thread, const StackRegions& regions,
                  int64_t now_ns);

  // Calls `take` with each thread that has answered, and its answer; the slot
  // is free for the next request when it returns.
  void Harvest(
      const std::function<void(ObservedThread&, const Request&)>& take);

  // The thread has ended, or has no request outstanding: its slot may go to
  // another.
  void Release(ObservedThread& thread);

  // The thread's alternate stack has no room for our handler, or has again. It
  // is not asked until then; what it was asked is taken back. To be called
  // between ticks.
  void KeepOff(threads::Tid tid, bool off);

  // The thread has ended: nothing of it is remembered.
  void Forget(ObservedThread& thread);

  // To be called once a tick, before any Ask: whether the program has put a
  // handler of its own in place of ours.
  void CheckHandler();
  bool handler_taken() const { return handler_taken_; }

  // Bytes of requests that have been in use.
  size_t touched_bytes() const;

 private:
  Interrupter(int signal, std::vector<RequestSlot> slots,
              stacks::Recording& recording, threads::TaskDirectory& tasks);

  bool MayInterrupt(ObservedThread& thread, const StackRegions& regions,
                    int64_t now_ns);
  struct ShownMask {
    bool masked = false;
    uint64_t sleeps = 0;  // so far
  };
  std::optional<ShownMask> ReadMask(const ObservedThread& thread);
  std::optional<bool> MasksSignal(ObservedThread& thread, int64_t now_ns);
  void Reconsider(ObservedThread& thread, int64_t now_ns);
  RequestSlot* SlotFor(ObservedThread& thread);
  void AskBy(ObservedThread& thread, const StackRegions& regions,
             int64_t now_ns, Delivery delivery);
  bool Send(RequestSlot& slot, ObservedThread& thread, Delivery delivery);
  void PublishBounds(Request& request, const ObservedThread& thread,
                     const StackRegions& regions);

  const int signal_;
  std::vector<RequestSlot> slots_;
  stacks::Recording& recording_;
  threads::TaskDirectory& tasks_;
  Delivery delivery_ = Delivery::kCpuTimer;
  bool handler_taken_ = false;
  std::set<threads::Tid> kept_off_;
  size_t slots_used_ = 0;  // slots below it have been touched
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_INTERRUPTER_H_
