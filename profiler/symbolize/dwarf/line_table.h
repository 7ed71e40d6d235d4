// A unit's line table: from addresses to lines, and the names of its files.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_TABLE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_TABLE_H_

#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "profiler/symbolize/dwarf/debug_file.h"

namespace wallprof::symbolize {

// A place in the sources. An empty file and line 0 are unknown.
struct SourcePlace {
  std::string file;
  int64_t line = 0;
};

// Valid as long as the file that it is of.
class LineTable {
 public:
  // Without lines or files if the unit has none, or they are malformed.
  LineTable(DebugFile& file, Dwarf_Die root);

  // The place of the instruction at `address`.
  SourcePlace PlaceOf(uint64_t address) const;

  // By the index that attributes use; empty if there is none.
  std::string FileOf(uint64_t index) const;

 private:
  std::string Whole(const char* file) const;

  std::string compiled_in_;
  Dwarf_Lines* lines_ = nullptr;
  size_t line_count_ = 0;
  Dwarf_Files* files_ = nullptr;
  size_t file_count_ = 0;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_TABLE_H_
