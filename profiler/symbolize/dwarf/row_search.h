// Where the rows of line tables begin in given code.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_ROW_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_ROW_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/symbolize/address_range.h"
#include "profiler/symbolize/dwarf/source_search.h"

namespace wallprof::symbolize {

// Each once, sorted; of `ranges` (sorted), each of which is of one unit. The
// line tables of split units stay in the file itself, so only `files.image` is
// read. Fails as FindSource; and with ResourceExhausted, too, if a line table
// needs more than is left of `max_bytes`: none is left out.
absl::StatusOr<std::vector<uint64_t>> FindRowAddresses(
    const SourceFiles& files, const std::vector<AddressRange>& ranges,
    size_t max_bytes);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_ROW_SEARCH_H_
