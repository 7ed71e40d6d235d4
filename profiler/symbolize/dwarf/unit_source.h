// One unit of debug information, read for the addresses in it.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_UNIT_SOURCE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_UNIT_SOURCE_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/symbolize/dwarf/address_ranges.h"
#include "profiler/symbolize/dwarf/call_chains.h"
#include "profiler/symbolize/dwarf/debug_file.h"
#include "profiler/symbolize/dwarf/line_table.h"
#include "profiler/symbolize/source_frame.h"

namespace wallprof::symbolize {

// Reads units of one file. Not thread-safe.
class UnitSource {
 public:
  // Both outlive this. A file of split units is not one of its own: `lines` is
  // then the file with the skeletons, else `entries` itself.
  UnitSource(DebugFile& entries, DebugFile& lines)
      : entries_(entries), lines_(lines) {}

  // The frames at each of `addresses` (sorted), which are in the unit with the
  // first entry `root`, all of it in memory. Its line table belongs to
  // `lines_root`: its own, or the skeleton's. What else it says is added to
  // `learnt`.
  std::vector<SourceFrames> Find(const UnitAddresses& unit,
                                 const Dwarf_Die& root,
                                 const Dwarf_Die& lines_root,
                                 const std::vector<uint64_t>& addresses,
                                 uint64_t lowest_code, LearntUnit& learnt);

  // The same by what was learnt: of addresses in `functions`, of which all is
  // in memory, and by `sequences`.
  std::vector<SourceFrames> FindIn(const UnitAddresses& unit,
                                   const Dwarf_Die& root,
                                   const std::vector<Dwarf_Die>& functions,
                                   std::vector<LineSequence> sequences,
                                   const std::vector<uint64_t>& addresses,
                                   uint64_t lowest_code);

 private:
  // A function, whatever copies of it there are.
  struct Description {
    std::string name;
    std::string linkage_name;
    SourcePlace start;
  };

  std::vector<SourceFrames> FramesAt(std::vector<std::vector<Call>> chains,
                                     const std::vector<uint64_t>& addresses,
                                     uint64_t lowest_code,
                                     std::vector<LineSequence>& sequences);
  const Description& Describe(const Dwarf_Die& entry);
  Description Read(Dwarf_Die entry);
  SourceFrames FramesOf(std::vector<Call>& chain, SourcePlace place);
  SourceFrame FrameOf(const Dwarf_Die& entry, SourcePlace place);
  std::string FileOf(Dwarf_Die& entry, uint64_t index);
  const LineTable& LinesOf(Dwarf_Die& entry);

  DebugFile& entries_;
  DebugFile& lines_;
  Dwarf_Die split_root_ = {};  // of the unit that is being read
  Dwarf_Die lines_root_ = {};
  absl::flat_hash_map<const void*, Description> descriptions_;  // by entry
  absl::flat_hash_map<const void*, LineTable> line_tables_;     // by unit
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_UNIT_SOURCE_H_
