// Where functions lie.
#ifndef WALLPROF_FLEET_PGO_EXPORT_CODE_RANGES_H_
#define WALLPROF_FLEET_PGO_EXPORT_CODE_RANGES_H_

#include <cstddef>
#include <vector>

#include "profiler/symbolize/address_range.h"
#include "profiler/symbolize/function_symbols.h"

namespace wallprof::pgo {

// Of debug information at a time. Those who build have as much; the largest
// unit of a program must fit.
inline constexpr size_t kMostDebugBytes = size_t{2} << 30;

// The code of `functions`, sorted, each range in one of them. Those without a
// size have none.
std::vector<symbolize::AddressRange> RangesOf(
    const std::vector<symbolize::FunctionSymbol>& functions);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_CODE_RANGES_H_
