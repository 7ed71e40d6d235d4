// Lines and inlined functions of the code at given addresses, from a file's
// debug information, in bounded memory.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_SOURCE_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_SOURCE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/symbolize/dwarf/source_index.h"
#include "profiler/symbolize/dwarf/split_unit.h"
#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/source_frame.h"

namespace wallprof::symbolize {

// Where to look.
struct SourceFiles {
  // The file with the debug information, open.
  const ElfImage* image = nullptr;
  SplitPlaces split;
  // What it has in common with other files; null if it names no such file, or
  // that was not found.
  const ElfImage* alternate = nullptr;
  // Code begins here. What is said to lie lower was left out by the linker.
  uint64_t lowest_code = 0;
  // Asked before each unit is read; true leaves out the rest. May be empty.
  std::function<bool()> hurry;
};

struct SourceAnswers {
  std::vector<SourceFrames> frames;  // by address
  // What could not be read, a phrase each.
  std::set<std::string> missing;
};

// At most this much memory is in use at a time, the copies of the file's parts
// and what libdw makes of them together. Mostly it is a few tens of megabytes,
// whatever the program's size, compressed or not: units are read one after
// another. The largest unit and what all share must fit. What needs more is not
// read.
inline constexpr size_t kMaxSourceBytes = size_t{160} << 20;

// Of each of `addresses` (before relocation, sorted). Only units that hold one
// are read. Fails if the file cannot be read at all, with a message that
// follows the file's name: NotFound without debug information,
// ResourceExhausted beyond `max_bytes`, InvalidArgument if it is malformed.
// Uses what earlier searches of the same file left in `index`, and adds to it.
absl::StatusOr<SourceAnswers> FindSource(const SourceFiles& files,
                                         const std::vector<uint64_t>& addresses,
                                         size_t max_bytes, SourceIndex& index);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_SOURCE_SEARCH_H_
