// Puts the time between looks where it belongs.
//
// A look stands for half the time to the look before it and half the time to
// the look after it; so each interval is split between the places at its two
// ends. (Giving it to the later end alone reads 37/63 for a program that is
// 50/50.) A thread's first look counts from the tick before. All looks of a
// tick have the tick's time, so what is credited adds up to the window exactly
// for a thread that lives throughout.
//
// Time found running is pending until the thread answers. CPU time is that of
// the thread's clock; what was used between looks that found it blocked goes
// with the next answer too, so that the total is right and the shares are
// those of the answers.
#ifndef WALLPROF_PROFILER_CAPTURE_ACCOUNTANT_H_
#define WALLPROF_PROFILER_CAPTURE_ACCOUNTANT_H_

#include <cstdint>

#include "profiler/capture/observed_thread.h"
#include "profiler/stacks/recording.h"

namespace wallprof::capture {

class Accountant {
 public:
  explicit Accountant(stacks::Recording& recording);

  // Makes the pseudo-stacks, while the table is empty, so that there is always
  // room for them. By the constructor, and after the table was cleared.
  void Prepare();

  // The interval from the thread's last look to `now_ns`, which found it at
  // `place` still, and so do `ticks` samples: those left out in between too.
  void Stay(ObservedThread& thread, int64_t now_ns, int64_t ticks = 1);

  // The same, when the thread is now at `entry`, blocked there.
  void MoveTo(ObservedThread& thread, stacks::EntryId entry, int64_t now_ns);

  // The same, when the thread was found running.
  void FoundRunning(ObservedThread& thread, int64_t now_ns);

  // What is pending belongs to `stack`.
  void Resolve(ObservedThread& thread, stacks::StackId stack, uint32_t labels);

  // What is pending belongs to `entry`: the thread was asleep there after all,
  // and is there still.
  void ResolveBlocked(ObservedThread& thread, stacks::EntryId entry);

  // What is pending will never be known: goes under `pseudo`.
  void WriteOff(ObservedThread& thread, stacks::PseudoFrame pseudo);

  // The thread is gone: its last look stands until `now_ns`.
  void End(ObservedThread& thread, int64_t now_ns);

  // CPU time of threads that no look accounts for.
  void AddExited(int64_t cpu_ns);

  // CPU time of the program, of no one thread, that no sample accounts for.
  void AddNotSampled(int64_t cpu_ns);

  // The key's entry, or that of [overflow] for its thread, counted.
  stacks::EntryId EntryOf(const stacks::SampleKey& key);

  // Shows readers what is pending, in the thread's record.
  void Publish(ObservedThread& thread);

  // A stack of one pseudo-frame.
  stacks::StackId PseudoStack(stacks::PseudoFrame pseudo);

 private:
  void AddCpu(stacks::PseudoFrame pseudo, int64_t cpu_ns);
  void Credit(ObservedThread& thread, const Place& place, int64_t wall_ns);
  void CreditRunning(const ObservedThread& thread, stacks::SampleKey key,
                     stacks::Counts counts);

  stacks::Recording& recording_;
  stacks::StackTable& table_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_ACCOUNTANT_H_
