// Split DWARF: units that the compiler left in .dwo files, or that were put
// from those into a package.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_SPLIT_UNIT_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_SPLIT_UNIT_H_

#include <elfutils/libdw.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

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

// Where split units may be besides where the compiler put them.
struct SplitPlaces {
  std::string directory;              // of .dwo files under their own names
  std::vector<std::string> packages;  // paths of .dwp files
};

// What the skeleton `root` in `file` stands for, all of it in memory, which
// takes at most `max_bytes`. NotFound names the file that it should be in if
// that is not there, or of another compilation, and no package has the unit.
absl::StatusOr<SplitUnit> OpenSplitUnit(DebugFile& file, Dwarf_Die root,
                                        const SplitPlaces& places,
                                        size_t max_bytes);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_SPLIT_UNIT_H_
