// Counts by function of the addresses that a profile met.
#ifndef WALLPROF_FLEET_PGO_EXPORT_CODE_TABLE_H_
#define WALLPROF_FLEET_PGO_EXPORT_CODE_TABLE_H_

#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/pgo/export/code_counts.h"
#include "fleet/pgo/export/function_counts.h"
#include "fleet/pgo/export/function_table.h"
#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::pgo {

struct CodeTable {
  FunctionTable functions;
  TableFigures figures;
  std::optional<double> density;  // see density.h
  Discriminators discriminators = Discriminators::kLlvm;
  std::set<std::string> missing;  // debug information, a phrase each
};

// Of `counts` in `image`, the file at `path`. Errors name the path: NotFound
// without debug information, saying where it was looked for and how to build
// with it.
absl::StatusOr<CodeTable> TableOfCode(
    const CodeCounts& counts, const symbolize::ElfImage& image,
    const std::string& path, const symbolize::DebugPlaces& debug_places);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_CODE_TABLE_H_
