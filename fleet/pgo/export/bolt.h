// The samples by function and offset, as BOLT reads them:
//
//   llvm-bolt PROGRAM -nl -data=FILE ...
#ifndef WALLPROF_FLEET_PGO_EXPORT_BOLT_H_
#define WALLPROF_FLEET_PGO_EXPORT_BOLT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "fleet/pgo/export/code_counts.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::pgo {

struct BoltProfile {
  std::string text;  // empty: nothing could be written
  int64_t written = 0;
  std::map<std::string, int64_t> dropped;  // samples by reason
  int64_t functions = 0;
  std::optional<double> density;  // see density.h
  // Whether the binary was linked with --emit-relocs, without which BOLT leaves
  // functions where they are.
  bool can_move_functions = false;
};

// Of `counts` in `image`, by its own symbols; needs no debug information.
// Functions that are local to a file are called as BOLT calls them:
// name/file/NUMBER, numbered by address among those of one name and file.
BoltProfile BoltProfileOf(const CodeCounts& counts,
                          const symbolize::ElfImage& image);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_BOLT_H_
