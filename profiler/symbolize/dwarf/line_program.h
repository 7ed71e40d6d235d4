// The rows of a line table, which are the output of a small program.
//
// libdw runs it too, but keeps every row: twelve bytes for each byte of the
// program. Here they are passed by, and what is asked for is taken.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_PROGRAM_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_PROGRAM_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "profiler/symbolize/address_range.h"

namespace wallprof::symbolize {

// What the header of a line table says of how to read its program.
struct LineProgramFormat {
  uint8_t instruction_size = 1;
  int8_t line_base = 0;
  uint8_t line_range = 1;
  // Operands of each standard opcode, that of opcode 1 first.
  std::string_view operands;
};

// As the program has them. Line 0 is unknown.
struct LineRow {
  static constexpr uint64_t kNoFile = ~uint64_t{0};

  uint64_t file = kNoFile;
  int64_t line = 0;
  // Which of the line's pieces of code.
  uint32_t discriminator = 0;
};

// Rows that follow each other without a gap.
struct LineSequence {
  uint64_t begin = 0;
  uint32_t size = 0;
  uint32_t at = 0;  // in the program
};

// The row in force at each of `addresses` (sorted); kNoFile where none is.
// Where several sequences cover an address the first counts; those that begin
// below `lowest_code` are of functions that the linker left out. A malformed
// program ends there. Of `sequences`, if there are any, only those are run that
// cover an address; else the whole program is, and they are added there.
std::vector<LineRow> FindRows(const LineProgramFormat& format,
                              std::string_view program,
                              const std::vector<uint64_t>& addresses,
                              uint64_t lowest_code,
                              std::vector<LineSequence>& sequences);

// Where rows begin in `ranges` (sorted), in the program's order, some several
// times. As FindRows of the whole program.
std::vector<uint64_t> FindRowStarts(const LineProgramFormat& format,
                                    std::string_view program,
                                    const std::vector<AddressRange>& ranges,
                                    uint64_t lowest_code);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_LINE_PROGRAM_H_
