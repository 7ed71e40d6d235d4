// Which threads there are: the sampler's list, from procfs.
#include <time.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "profiler/capture/sampler.h"
#include "profiler/threads/cpu_clock.h"
#include "profiler/threads/label_registry.h"

namespace wallprof::capture {
void Sampler::UpdateThreads() {
  // Besides when something tells of a change: a thread that ends as another
  // starts leaves the count as it was.
  constexpr int64_t kListAnywayNs = 250'000'000;
  // Listing takes 0.5 us a thread; not more than this share of the time.
  constexpr int64_t kListingShare = 200;
  const int hint = tasks_.CountHint();
  if (!list_again_ && hint == last_hint_ &&
      now_ns_ - last_listing_ns_ <
          std::max(kListAnywayNs, listing_cost_ns_ * kListingShare)) {
    return;
  }
  const int64_t before = threads::MonotonicNs();
  if (!tasks_.List(listed_)) return;
  last_hint_ = hint;
  last_listing_ns_ = now_ns_;
  list_again_ = false;
  std::sort(listed_.begin(), listed_.end());
  own_threads_.Prune(listed_);
  for (const Turn& turn : order_) turn.thread->listed = false;
  for (const threads::Tid tid : listed_) {
    const auto found = threads_.find(tid);
    if (found != threads_.end()) {
      found->second->listed = true;
    } else if (!own_threads_.MayContain(tid)) {
      AddThread(tid);
    } else if (!own_threads_.Contains(tid)) {
      list_again_ = true;  // one of ours is starting; is it this?
    }
  }
  thread_bytes_ = 0;
  for (const Turn& turn : order_) {
    if (!turn.thread->listed && !turn.thread->ended) End(*turn.thread);
    thread_bytes_ += sizeof(*turn.thread) + turn.thread->memo.words.capacity() *
                                                sizeof(unwind::StackWord);
  }
  first_listing_ = false;
  listing_cost_ns_ = threads::MonotonicNs() - before;
}

void Sampler::AddThread(threads::Tid tid) {
  threads::ProcText text;
  if (!tasks_.Read(tid, "stat", text)) return;
  const auto stat = threads::ParseTaskStat(text.text());
  if (!stat.has_value()) return;
  auto thread = std::make_unique<ObservedThread>();
  thread->tid = tid;
  thread->start_ticks = stat->start_ticks;
  thread->record = recording_.AddThread(tid, stat->name);
  thread->ended = stat->state == 'Z';
  thread->last_look_ns = previous_ns_;
  thread->state_since_ns = now_ns_;
  // Of threads that were there before us, only what they use from now on.
  thread->witness.cpu_ns =
      first_listing_ ? std::max<int64_t>(threads::CpuTimeOf(tid), 0) : 0;
  thread->last_look_tick = tick_ - 1;
  thread->moved_ns = now_ns_;
  thread->added_ns = now_ns_;
  order_.push_back({thread.get(), 0});
  threads_.emplace(tid, std::move(thread));
}

void Sampler::UpdateLabels() {
  const threads::LabelRegistry& registry = threads::LabelRegistry::Get();
  const uint64_t generation = registry.generation();
  // Also when only the threads have changed: a label may be older than the
  // sampler's knowledge of its thread.
  if (generation == labels_generation_ && last_listing_ns_ != now_ns_) return;
  labels_generation_ = generation;
  for (const Turn& turn : order_) turn.thread->labels = nullptr;
  registry.VisitSlots(
      [this](threads::Tid tid, const std::atomic<uint32_t>& labels) {
        const auto found = threads_.find(tid);
        if (found != threads_.end()) found->second->labels = &labels;
      });
}

// Names are given after threads start, and change; and a number may have gone
// to another thread unnoticed. Once a second, for threads that run; of new ones
// at each look, since most are named soon after they start.
void Sampler::RefreshName(ObservedThread& thread) {
  constexpr int64_t kRefreshNs = 1'000'000'000;
  constexpr int64_t kNewNs = 200'000'000;
  if (now_ns_ - thread.name_read_ns < kRefreshNs &&
      now_ns_ - thread.added_ns > kNewNs) {
    return;
  }
  thread.name_read_ns = now_ns_;
  threads::ProcText text;
  if (!tasks_.Read(thread.tid, "stat", text)) return;
  const auto stat = threads::ParseTaskStat(text.text());
  if (!stat.has_value()) return;
  if (stat->start_ticks != thread.start_ticks) return End(thread);
  recording_.thread(thread.record).SetName(stat->name);
}

ObservedThread* Sampler::FindThread(threads::Tid tid) {
  const auto found = threads_.find(tid);
  return found == threads_.end() || found->second->ended ? nullptr
                                                         : found->second.get();
}

void Sampler::End(ObservedThread& thread) {
  lock_waits_.Leave(thread, now_ns_);
  accountant_.End(thread, now_ns_);
  interrupter_.Forget(thread);
  files_.Forget(thread.tid);
  recording_.tallies().lost_exited.add(1);
  ended_cpu_ns_ += thread.witness.cpu_ns;
  thread.ended = true;
  some_ended_ = true;
  exited_due_ = true;
  list_again_ = true;
}

void Sampler::RemoveEnded() {
  if (!some_ended_) return;
  some_ended_ = false;
  // A main thread that has ended stays listed as a zombie; it is kept, so that
  // it is not taken for a new one.
  order_.erase(std::remove_if(order_.begin(), order_.end(),
                              [this](const Turn& turn) {
                                if (!turn.thread->ended) return false;
                                threads_.erase(turn.thread->tid);
                                return true;
                              }),
               order_.end());
}

// What the process used and no thread's clock tells: it was used after the
// last looks at threads that ended. All threads must just have been looked at.
void Sampler::AccountExited() {
  exited_due_ = false;
  exited_at_ns_ = now_ns_;
  int64_t known = ended_cpu_ns_ + own_threads_.CpuTimeNs();
  for (const Turn& turn : order_) {
    if (!turn.thread->ended) known += turn.thread->witness.cpu_ns;
  }
  const int64_t unknown = threads::NowNs(CLOCK_PROCESS_CPUTIME_ID) - known;
  if (exited_base_ns_ == 0) {
    exited_base_ns_ = std::max<int64_t>(unknown, 1);
    return;
  }
  const int64_t more = unknown - exited_base_ns_ - exited_shown_ns_;
  if (more <= 0) return;
  accountant_.AddExited(more);
  exited_shown_ns_ += more;
}

std::vector<ThreadView> Sampler::Views() {
  std::vector<ThreadView> views;
  for (const Turn& turn : order_) {
    const ObservedThread& thread = *turn.thread;
    if (thread.ended) continue;
    const stacks::ThreadRecord& record = recording_.thread(thread.record);
    views.push_back({thread.tid, record.Name(), thread.state, thread.wait,
                     now_ns_ - thread.state_since_ns, thread.witness.cpu_ns,
                     thread.truncated, thread.stack,
                     thread.lock_wait.lock ? thread.lock_wait.lock->address : 0,
                     lock_waits_.HolderOf(thread)});
  }
  return views;
}

}  // namespace wallprof::capture
