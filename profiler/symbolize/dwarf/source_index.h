// What was learnt of a module's debug information when it was read: where the
// entries of functions are, and the sequences of line tables.
//
// A profile mostly meets new places of modules that earlier ones have met. To
// find the function of an address, all functions of its unit must be looked at;
// once that was done, they are remembered here, and later only the one is read.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_SOURCE_INDEX_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_SOURCE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/symbolize/dwarf/line_program.h"

namespace wallprof::symbolize {

struct IndexedFunction {
  uint64_t begin = 0;
  uint32_t size = 0;
  uint32_t unit = 0;
  // Its entry and what follows it, from the unit's first entry on.
  uint32_t entry = 0;
  uint32_t entry_end = 0;
};

// What one unit says.
struct LearntUnit {
  std::vector<IndexedFunction> functions;  // in the unit's order
  std::vector<LineSequence> sequences;
};

// Not thread-safe.
class SourceIndex {
 public:
  // Of a module with a hundred megabytes of debug information it is some two
  // megabytes. What is beyond that is read anew each time.
  static constexpr size_t kMaxBytes = size_t{4} << 20;

  // Says which file the index is of. Of another one than before, all is
  // forgotten.
  void UseFile(int fd);

  // Ignored where it would be too much, or where functions overlap, which then
  // tell nothing without the others.
  void Add(size_t unit, LearntUnit learnt);

  // Null where nothing is known of `address`.
  const IndexedFunction* Find(uint64_t address) const;

  const std::vector<LineSequence>& Sequences(size_t unit) const;

  void Clear();
  size_t bytes() const;

 private:
  std::string file_;
  std::vector<IndexedFunction> functions_;  // by address
  absl::flat_hash_map<size_t, std::vector<LineSequence>> sequences_;
  size_t bytes_ = 0;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_SOURCE_INDEX_H_
