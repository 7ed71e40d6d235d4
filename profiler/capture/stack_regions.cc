#include "profiler/capture/stack_regions.h"

#include <algorithm>
#include <iterator>

#include "profiler/unwind/module_map.h"

namespace wallprof::capture {

void StackRegions::Update(std::string_view maps) {
  regions_.clear();
  has_small_stacks_ = false;
  uint64_t guard_limit = 0;  // end of the inaccessible mapping before
  for (const unwind::MapsEntry& entry : unwind::ParseMaps(maps)) {
    if (entry.readable && entry.writable) {
      StackRegion region{entry.start, entry.limit, entry.path == "[stack]"};
      regions_.push_back(region);
      has_small_stacks_ |= entry.path.empty() && entry.start == guard_limit &&
                           region.size() < kMinInterruptibleStack;
    }
    const bool is_guard = !entry.readable && !entry.writable &&
                          entry.path.empty() &&
                          entry.limit - entry.start <= kMaxStackGuard;
    guard_limit = is_guard ? entry.limit : 0;
  }
}

const StackRegion* StackRegions::Find(uint64_t address) const {
  auto after = std::upper_bound(
      regions_.begin(), regions_.end(), address,
      [](uint64_t at, const StackRegion& region) { return at < region.start; });
  if (after == regions_.begin()) return nullptr;
  const StackRegion& region = *std::prev(after);
  return address < region.limit ? &region : nullptr;
}

}  // namespace wallprof::capture
