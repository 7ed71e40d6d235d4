// What the sampler knows of the address space: modules and stacks.
#include "profiler/capture/sampler.h"

namespace wallprof::capture {

void Sampler::SetModules(const std::string& maps) {
  unwinder_.SetModules(maps);
  lock_waits_.SetModules();
  regions_.Update(maps);
  // Frames of other modules may stand at the same addresses now.
  for (const Turn& turn : order_) turn.thread->memo.words.clear();
}

// Whether something must be known of the mapping that the thread's stack is
// in, and is not.
bool Sampler::NeedsRegions(const ObservedThread& thread) const {
  if (thread.slot != nullptr && thread.slot->outstanding()) return false;
  return thread.stack_sp == 0 ? thread.slot == nullptr
                              : regions_.Find(thread.stack_sp) == nullptr;
}

void Sampler::UpdateRegions() {
  if (!regions_wanted_ || !modules_.MayReadMaps()) return;
  regions_wanted_ = false;
  const std::string maps = modules_.ReadMaps();
  if (!maps.empty()) regions_.Update(maps);
}

void Sampler::ClearTable() {
  std::vector<std::string> names;
  for (const Turn& turn : order_) {
    names.push_back(recording_.thread(turn.thread->record).Name());
  }
  recording_.Clear();
  accountant_.Prepare();
  lock_waits_.Clear();
  wait_targets_.Clear();
  for (size_t i = 0; i < order_.size(); ++i) {
    order_[i].due_ns = 0;
    ObservedThread& thread = *order_[i].thread;
    thread.record = recording_.AddThread(thread.tid, names[i]);
    accountant_.Publish(thread);
    thread.memo = {};
    thread.settled = false;
    thread.place = {};
    thread.stack = stacks::kNoStack;
  }
}

}  // namespace wallprof::capture
