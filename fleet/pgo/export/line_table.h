// Counts by function of the functions and lines that a profile tells itself:
// of one that has no addresses, or is of another build of the same sources.
//
// It is less than what addresses tell. Where lines were added before a function
// nothing changes, within it what follows is wrong; all pieces of code of a
// line count the same, as the binary's debug information has them; and what was
// never met is not known to be cold.
#ifndef WALLPROF_FLEET_PGO_EXPORT_LINE_TABLE_H_
#define WALLPROF_FLEET_PGO_EXPORT_LINE_TABLE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/pgo/export/function_counts.h"
#include "fleet/pgo/export/function_table.h"
#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/elf_image.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

struct LineTable {
  FunctionTable functions;
  TableFigures figures;
  // As those of CodeCounts: samples in functions that the binary has.
  int64_t total = 0;
  int64_t matched = 0;
  std::map<std::string, int64_t> elsewhere;
  // Of the samples in what is taken for the binary: how many are in functions
  // that it has, 0 to 1.
  double known = 0;
  // Of those that are: how many are at lines that it has code of. 0 where it
  // has no debug information.
  double found = 0;
};

// With less of them known it is taken for another program.
inline constexpr double kLeastKnown = 0.5;

// Of `profile`, which KeepOnCpu() has reduced. What is taken for `image`, the
// file at `path`: code in files of its name, else in the profile's main binary,
// and what is in no file. FailedPrecondition where too few of its functions are
// in the binary's symbols, or nothing tells the lines they begin at.
absl::StatusOr<LineTable> TableOfLines(
    const Profile& profile, const symbolize::ElfImage& image,
    const std::string& path, const symbolize::DebugPlaces& debug_places);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_LINE_TABLE_H_
