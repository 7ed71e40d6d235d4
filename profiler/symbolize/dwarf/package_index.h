// Packages of split units (.dwp): which part of each section is a unit's.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_PACKAGE_INDEX_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_PACKAGE_INDEX_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// A part of .debug_NAME.dwo.
struct SectionPart {
  std::string_view name;  // "info"
  uint64_t offset = 0;
  uint64_t size = 0;
};

// What belongs to the unit `id` in `package`, by .debug_cu_index of DWARF 5 or
// of the GNU extension before it. Sections without a part are shared by all.
// Empty if the unit is not in there, or the index is malformed. Reads only what
// leads to the unit: the index of a large program has megabytes.
std::vector<SectionPart> FindPackagedUnit(const ElfImage& package, uint64_t id);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_PACKAGE_INDEX_H_
