// A unit's line table: from addresses to lines, and the names of its files.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_TABLE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_TABLE_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/symbolize/dwarf/byte_reader.h"
#include "profiler/symbolize/dwarf/debug_file.h"
#include "profiler/symbolize/dwarf/line_program.h"

namespace wallprof::symbolize {

// A place in the sources. An empty file and line 0 are unknown.
struct SourcePlace {
  std::string file;
  int64_t line = 0;
  uint32_t discriminator = 0;  // see LineRow
};

// Not thread-safe.
class LineTable {
 public:
  // Without lines or files if the unit has none, or they are malformed.
  LineTable(DebugFile& file, Dwarf_Die root);

  // The places of the instructions at `addresses` (sorted). What begins below
  // `lowest_code` was left out by the linker. For `sequences` see FindRows. To
  // be asked for while the unit's lines are in memory.
  std::vector<SourcePlace> PlacesOf(const std::vector<uint64_t>& addresses,
                                    uint64_t lowest_code,
                                    std::vector<LineSequence>& sequences) const;

  // Where rows begin in `ranges`, see FindRowStarts.
  std::vector<uint64_t> RowStarts(const std::vector<AddressRange>& ranges,
                                  uint64_t lowest_code) const;

  // By the index that attributes use; empty if there is none.
  std::string FileOf(uint64_t index) const;

 private:
  struct Entry {
    std::string path;
    uint64_t directory = 0;
  };

  void ReadHeader(DebugFile& file, std::string_view table);
  void ReadNames(ByteReader& header);
  bool ReadEntries(DebugFile& file, ByteReader& header,
                   std::vector<Entry>& entries);
  std::string PathOf(const Entry& entry) const;

  std::string compiled_in_;
  uint8_t offset_size_ = 4;
  std::vector<Entry> directories_;
  std::vector<Entry> files_;  // by index
  LineProgramFormat format_;
  std::string_view program_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_TABLE_H_
