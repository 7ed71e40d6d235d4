#include "fleet/pgo/export/code_ranges.h"

#include <algorithm>
#include <cstdint>
#include <map>

namespace wallprof::pgo {

std::vector<symbolize::AddressRange> RangesOf(
    const std::vector<symbolize::FunctionSymbol>& functions) {
  std::map<uint64_t, uint64_t> ends;
  for (const symbolize::FunctionSymbol& function : functions) {
    uint64_t& end = ends[function.begin];
    end = std::max(end, function.begin + function.size);
  }
  std::vector<symbolize::AddressRange> ranges;
  for (const auto& [begin, end] : ends) {
    // One symbol may lie in another.
    if (!ranges.empty()) ranges.back().end = std::min(ranges.back().end, begin);
    ranges.push_back({begin, end});
  }
  std::erase_if(ranges,
                [](const auto& range) { return range.begin == range.end; });
  return ranges;
}

}  // namespace wallprof::pgo
