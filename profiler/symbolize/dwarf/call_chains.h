// The functions that addresses of one unit lie in: a function and what the
// compiler inlined there.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_CALL_CHAINS_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_CALL_CHAINS_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <vector>

#include "profiler/symbolize/dwarf/address_ranges.h"
#include "profiler/symbolize/dwarf/source_index.h"

namespace wallprof::symbolize {

// A function, or an inlined copy of one.
struct Call {
  Dwarf_Die entry = {};
  // Where it was called, of an inlined copy. A missing one has form 0.
  Dwarf_Attribute file = {};
  Dwarf_Attribute line = {};
  Dwarf_Attribute discriminator = {};
};

// Of each of `addresses` (sorted) the calls that it lies in, outermost first;
// none where no function is. `root` is the unit's first entry, all of the unit
// is in memory. One pass over the entries that can matter; a second one over
// all of them only if an address was not in any function of the first. The
// functions of the first are added to `learnt`.
std::vector<std::vector<Call>> FindCalls(const UnitAddresses& unit,
                                         const Dwarf_Die& root,
                                         const std::vector<uint64_t>& addresses,
                                         uint64_t lowest_code,
                                         std::vector<IndexedFunction>& learnt);

// The same of addresses that are known to be in `functions`, of which all is in
// memory; nothing else is read.
std::vector<std::vector<Call>> FindCallsIn(
    const UnitAddresses& unit, std::vector<Dwarf_Die> functions,
    const std::vector<uint64_t>& addresses, uint64_t lowest_code);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_CALL_CHAINS_H_
