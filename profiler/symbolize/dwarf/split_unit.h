// Split DWARF: units that the compiler left in .dwo files.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_SPLIT_UNIT_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_SPLIT_UNIT_H_

#include <elfutils/libdw.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "profiler/symbolize/dwarf/debug_file.h"

namespace wallprof::symbolize {

struct SplitUnit {
  std::unique_ptr<DebugFile> file;
  Dwarf_Die root = {};
};

// Whether the unit with this root is a skeleton: all but its addresses and
// lines are elsewhere.
bool IsSkeleton(const Dwarf_Die& root);

// What the skeleton `root` in `file` stands for, all of it in memory, which
// takes at most `max_bytes`. Looked for where the compiler put it and, under
// the name it had, in `directory`. NotFound names the file if it is not there,
// or is of another compilation.
absl::StatusOr<SplitUnit> OpenSplitUnit(DebugFile& file, Dwarf_Die root,
                                        const std::string& directory,
                                        size_t max_bytes);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_SPLIT_UNIT_H_
