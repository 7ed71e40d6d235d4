// Which units of debug information hold given addresses.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_UNIT_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_UNIT_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "profiler/symbolize/dwarf/debug_file.h"

namespace wallprof::symbolize {

// The addresses in each unit that has some, by the unit's index in
// `file.units()`; in the order of `addresses`, which must be sorted. Ranges
// that begin below `lowest_code` are of functions that the linker left out.
// .debug_aranges is asked first; units that it does not list (clang writes
// none) are asked for their own ranges. No unit is parsed beyond its root.
std::map<size_t, std::vector<uint64_t>> FindUnits(
    DebugFile& file, const std::vector<uint64_t>& addresses,
    uint64_t lowest_code);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_UNIT_SEARCH_H_
