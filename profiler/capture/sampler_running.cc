// Threads that run: what is asked of them, and what they answer.
#include <utility>

#include "profiler/capture/sampler.h"

namespace wallprof::capture {

using stacks::PseudoFrame;
using stacks::ThreadState;

std::optional<threads::SchedStat> Sampler::ReadSched(
    const ObservedThread& thread) {
  threads::ProcText text;
  if (!files_.Read(thread.tid, FileCache::File::kSchedStat, tick_, text)) {
    return std::nullopt;
  }
  return threads::ParseSchedStat(text.text());
}

// Waits for a CPU since the last look, if that found the thread running.
// Between looks that find it blocked they are short, and not worth a read.
void Sampler::AddWaits(ObservedThread& thread) {
  if (thread.delay_at_look_ns < 0) return;
  if (const auto sched = ReadSched(thread)) {
    recording_.thread(thread.record)
        .waited_ns.add(static_cast<int64_t>(sched->delay_ns) -
                       thread.delay_at_look_ns);
  }
  thread.delay_at_look_ns = -1;
}

// How the time since the last call divides into running and waiting for a CPU.
// Of a thread that is just waiting, the scheduler counts the wait when it
// ends; so this is asked when a thread has answered, which it does running.
void Sampler::UpdateShare(ObservedThread& thread) {
  const auto sched = ReadSched(thread);
  if (!sched.has_value()) return;
  if (thread.sched_known) {
    thread.share = {
        static_cast<int64_t>(sched->run_ns - thread.sched.run_ns),
        static_cast<int64_t>(sched->delay_ns - thread.sched.delay_ns)};
  }
  thread.sched = *sched;
  thread.sched_known = true;
}

void Sampler::LookRunning(ObservedThread& thread) {
  if (!thread.sched_known) UpdateShare(thread);
  if (const auto sched = ReadSched(thread)) {
    thread.delay_at_look_ns = static_cast<int64_t>(sched->delay_ns);
  }
  const bool waits = thread.share.delay_ns > thread.share.run_ns;
  SetState(thread, waits ? ThreadState::kRunnable : ThreadState::kRunning,
           stacks::kNoWait);
  accountant_.FoundRunning(thread, now_ns_);
  regions_wanted_ |= NeedsRegions(thread);
  interrupter_.Ask(thread, regions_, now_ns_);
  switch (thread.untouchable) {
    case Untouchable::kNo:
      return;
    case Untouchable::kMasked:
      UpdateShare(thread);
      recording_.tallies().lost_masked.add(1);
      return accountant_.WriteOff(thread, PseudoFrame::kMasked);
    case Untouchable::kSmallStack:
      UpdateShare(thread);
      recording_.tallies().lost_small_stack.add(1);
      return accountant_.WriteOff(thread, PseudoFrame::kSmallStack);
  }
}

// --- answers -----------------------------------------------------------------

void Sampler::Take(ObservedThread& thread, const Request& answer) {
  const uint64_t sp = answer.registers[unwind::kRsp];
  thread.stack_sp = sp;
  thread.thread_pointer = answer.thread_pointer;
  unwind::StackCopy copy;
  for (int i = 0; i < kAnswerRegisters; ++i) {
    copy.registers.Set(static_cast<unwind::Register>(i), answer.registers[i]);
  }
  copy.segments[0] = {sp, answer.stack, answer.stack_size};
  copy.segment_count = 1;
  unwinder_.Unwind(copy, walk_);
  recording_.tallies().walks.add(1);
  // The thread has run on, and the code that it was in may be gone and other
  // code in its place. It is asked again, and the time waits for that answer.
  if (answer.modules_added != modules_.added() || !modules_.AreKnown() ||
      !loader_.settled()) {
    return;
  }
  if (unwinder_.met_unknown_code()) modules_.MetUnknownCode();
  // A first answer has one page at most, since nothing was known of the
  // stack; the next one has it all, and the time waits for that.
  constexpr int kMaxShortAnswers = 2;
  if (!walk_.complete && walk_.missing != 0 &&
      thread.short_answers < kMaxShortAnswers) {
    ++thread.short_answers;
    regions_wanted_ |= regions_.Find(sp) == nullptr;
    return;
  }
  if (!walk_.complete) recording_.tallies().lost_truncated.add(1);
  UpdateShare(thread);
  thread.answered_tick = tick_;
  thread.stack = recording_.table().Intern(walk_.stack());
  thread.answer_stack = thread.stack;
  thread.truncated = !walk_.complete;
  if (!thread.asked_blocked) {
    return accountant_.Resolve(thread, thread.stack, answer.label_set);
  }
  // It has gone back to sleep in the same place; the clock that stands now is
  // that of the answer.
  stacks::SampleKey key{thread.stack, thread.record, answer.label_set};
  key.state = ThreadState::kBlocked;
  accountant_.ResolveBlocked(thread, accountant_.EntryOf(key));
  Witness witness;
  thread.settled = ReadWitness(thread, witness);
  if (thread.settled) thread.witness = witness;
}

}  // namespace wallprof::capture
