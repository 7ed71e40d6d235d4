// What the sampler knows of the address space: modules and stacks.
#include <sys/mman.h>
#include <time.h>

#include <functional>

#include "profiler/capture/sampler.h"
#include "profiler/threads/clock.h"

namespace wallprof::capture {
namespace {

// Reading the maps of a process with thousands of threads takes milliseconds;
// not more than this share of the time goes into it.
constexpr int64_t kMapsCostShare = 50;

// Where the loader's count was not found, maps are compared this often.
constexpr int64_t kCompareMapsNs = 500'000'000;

// Of the lines with code, which are those that modules are told from.
size_t HashOfCode(const std::string& maps) {
  size_t hash = 0;
  for (const unwind::MapsEntry& entry : unwind::ParseMaps(maps)) {
    if (!entry.executable) continue;
    hash = hash * 31 + std::hash<uint64_t>()(entry.start ^ entry.inode);
    hash = hash * 31 + std::hash<std::string_view>()(entry.path);
  }
  return hash;
}

}  // namespace

std::string Sampler::ReadMaps() {
  const int64_t before = threads::MonotonicNs();
  std::string maps = unwind::ReadMaps();
  maps_read_ns_ = threads::MonotonicNs();
  maps_cost_ns_ = maps_read_ns_ - before;
  return maps;
}

bool Sampler::MayReadMaps() const {
  return threads::MonotonicNs() - maps_read_ns_ >=
         maps_cost_ns_ * kMapsCostShare;
}

void Sampler::SetModules(const std::string& maps) {
  // A process that has become non-dumpable may not read its own maps; what was
  // known stays better than nothing.
  if (maps.empty()) return;
  maps_hash_ = HashOfCode(maps);
  unwinder_.SetModules(maps);
  lock_waits_.SetModules();
  regions_.Update(maps);
  // Frames of other modules may stand at the same addresses now.
  for (const Turn& turn : order_) turn.thread->memo.words.clear();
}

// Reads what modules there are, until none was loaded meanwhile: else what was
// read could be of before or after. Where that has no end, the next tick tries
// again, and nothing is known until then.
void Sampler::ReloadModules() {
  constexpr int kAttempts = 3;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    loader_added_ = loader_.added();
    SetModules(ReadMaps());
    if (loader_.added() == loader_added_) return;
  }
}

// Whether the modules that were read are those that there are.
bool Sampler::ModulesAreKnown() const {
  return loader_.added() == loader_added_;
}

void Sampler::UpdateModules() {
  if (!ModulesAreKnown()) {
    unknown_code_ = false;
    return ReloadModules();
  }
  const bool compare = !loader_.found() &&
                       threads::MonotonicNs() - maps_read_ns_ >= kCompareMapsNs;
  if ((!unknown_code_ && !compare) || !MayReadMaps()) return;
  unknown_code_ = false;
  const std::string maps = ReadMaps();
  if (HashOfCode(maps) != maps_hash_) SetModules(maps);
}

// Whether something must be known of the mapping that the thread's stack is
// in, and is not.
bool Sampler::NeedsRegions(const ObservedThread& thread) const {
  if (thread.slot != nullptr && thread.slot->outstanding()) return false;
  return thread.stack_sp == 0 ? thread.slot == nullptr
                              : regions_.Find(thread.stack_sp) == nullptr;
}

void Sampler::UpdateRegions() {
  if (!regions_wanted_ || !MayReadMaps()) return;
  regions_wanted_ = false;
  const std::string maps = ReadMaps();
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
