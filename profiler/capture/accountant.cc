#include "profiler/capture/accountant.h"

#include <algorithm>

namespace wallprof::capture {
namespace {

using stacks::Counts;
using stacks::PseudoFrame;
using stacks::SampleKey;
using stacks::ThreadState;

constexpr Counts kOneSample{1, 0, 0};

Counts Wall(int64_t ns) { return {0, 0, ns}; }

}  // namespace

int64_t RunShare::Running(int64_t wall_ns) const {
  const int64_t known = run_ns + delay_ns;
  if (known <= 0) return wall_ns;
  return static_cast<int64_t>(static_cast<double>(wall_ns) *
                              static_cast<double>(run_ns) /
                              static_cast<double>(known));
}

Accountant::Accountant(stacks::Recording& recording)
    : recording_(recording), table_(recording.table()) {
  Prepare();
}

void Accountant::Prepare() {
  for (const PseudoFrame pseudo :
       {PseudoFrame::kOverflow, PseudoFrame::kExited, PseudoFrame::kMasked,
        PseudoFrame::kSmallStack, PseudoFrame::kNotSampled,
        PseudoFrame::kUnseen, PseudoFrame::kUnknown}) {
    PseudoStack(pseudo);
  }
  SampleKey overflow;
  overflow.stack = PseudoStack(PseudoFrame::kOverflow);
  table_.Find(overflow);
  overflow.holder = PseudoStack(PseudoFrame::kUnknown);
  table_.Find(overflow);
}

stacks::StackId Accountant::PseudoStack(PseudoFrame pseudo) {
  const stacks::Frame frame = stacks::Frame::Pseudo(pseudo);
  return table_.Intern({&frame, 1});
}

stacks::EntryId Accountant::EntryOf(const SampleKey& key) {
  if (key.stack != stacks::kNoStack) {
    const stacks::EntryId entry = table_.Find(key);
    if (entry != stacks::kNoRoom) return entry;
  }
  recording_.tallies().lost_overflow.add(1);
  SampleKey overflow = key;
  overflow.stack = PseudoStack(PseudoFrame::kOverflow);
  const stacks::EntryId of_thread = table_.Find(overflow);
  if (of_thread != stacks::kNoRoom) return of_thread;
  SampleKey shared;
  shared.stack = overflow.stack;
  if (key.holder != stacks::kNoStack) {
    shared.holder = PseudoStack(PseudoFrame::kUnknown);
  }
  return table_.Find(shared);  // made by Prepare
}

void Accountant::Credit(ObservedThread& thread, const Place& place,
                        int64_t wall_ns) {
  switch (place.kind) {
    case Place::Kind::kNone:
      return;
    case Place::Kind::kEntry:
      table_.Add(place.entry, Wall(wall_ns));
      return;
    case Place::Kind::kPending:
      thread.pending_wall_ns += wall_ns;
      return;
    case Place::Kind::kAnswered:
      CreditRunning(thread, {place.stack, thread.record, place.labels},
                    Wall(wall_ns));
      return;
  }
}

// Divides the wall time of `counts` into running and runnable.
void Accountant::CreditRunning(const ObservedThread& thread, SampleKey key,
                               Counts counts) {
  const int64_t running = thread.share.Running(counts.wall_ns);
  const int64_t runnable = counts.wall_ns - running;
  counts.wall_ns = running;
  key.state = ThreadState::kRunning;
  table_.Add(EntryOf(key), counts);
  if (runnable == 0) return;
  key.state = ThreadState::kRunnable;
  table_.Add(EntryOf(key), Wall(runnable));
}

void Accountant::Stay(ObservedThread& thread, int64_t now_ns, int64_t ticks) {
  table_.Add(thread.place.entry,
             Counts{ticks, 0, now_ns - thread.last_look_ns});
  thread.last_look_ns = now_ns;
}

void Accountant::MoveTo(ObservedThread& thread, stacks::EntryId entry,
                        int64_t now_ns) {
  const int64_t interval = now_ns - thread.last_look_ns;
  const int64_t before = interval / 2;
  Credit(thread, thread.place, before);
  table_.Add(entry, Wall(interval - before));
  table_.Add(entry, kOneSample);
  thread.place = {Place::Kind::kEntry, entry};
  thread.last_look_ns = now_ns;
  Publish(thread);
}

void Accountant::FoundRunning(ObservedThread& thread, int64_t now_ns) {
  const int64_t interval = now_ns - thread.last_look_ns;
  const int64_t before = interval / 2;
  Credit(thread, thread.place, before);
  const Place pending{Place::Kind::kPending};
  Credit(thread, pending, interval - before);
  ++thread.pending_samples;
  thread.place = pending;
  thread.last_look_ns = now_ns;
  Publish(thread);
}

void Accountant::Resolve(ObservedThread& thread, stacks::StackId stack,
                         uint32_t labels) {
  CreditRunning(
      thread, {stack, thread.record, labels},
      {thread.pending_samples, thread.pending_cpu_ns, thread.pending_wall_ns});
  thread.pending_samples = 0;
  thread.pending_cpu_ns = 0;
  thread.pending_wall_ns = 0;
  if (thread.place.kind == Place::Kind::kPending) {
    thread.place = {Place::Kind::kAnswered, stacks::kNoRoom, stack, labels};
  }
  Publish(thread);
}

void Accountant::ResolveBlocked(ObservedThread& thread, stacks::EntryId entry) {
  table_.Add(entry, {thread.pending_samples, thread.pending_cpu_ns,
                     thread.pending_wall_ns});
  thread.pending_samples = 0;
  thread.pending_cpu_ns = 0;
  thread.pending_wall_ns = 0;
  thread.place = {Place::Kind::kEntry, entry};
  Publish(thread);
}

void Accountant::WriteOff(ObservedThread& thread, PseudoFrame pseudo) {
  if (thread.pending_wall_ns == 0 && thread.pending_cpu_ns == 0) return;
  Resolve(thread, PseudoStack(pseudo), 0);
}

void Accountant::End(ObservedThread& thread, int64_t now_ns) {
  Credit(thread, thread.place, (now_ns - thread.last_look_ns) / 2);
  WriteOff(thread, PseudoFrame::kNotSampled);
}

void Accountant::AddExited(int64_t cpu_ns) {
  AddCpu(PseudoFrame::kExited, cpu_ns);
}

void Accountant::AddNotSampled(int64_t cpu_ns) {
  AddCpu(PseudoFrame::kNotSampled, cpu_ns);
}

void Accountant::AddCpu(PseudoFrame pseudo, int64_t cpu_ns) {
  SampleKey key;
  key.stack = PseudoStack(pseudo);
  table_.Add(EntryOf(key), Counts{0, cpu_ns, 0});
}

void Accountant::Publish(ObservedThread& thread) {
  stacks::ThreadRecord& record = recording_.thread(thread.record);
  record.pending_samples.set(thread.pending_samples);
  record.pending_cpu_ns.set(thread.pending_cpu_ns);
  record.pending_wall_ns.set(thread.pending_wall_ns);
}

}  // namespace wallprof::capture
