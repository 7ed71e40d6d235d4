// What debug information says of an address.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_SOURCE_FRAME_H_
#define WALLPROF_PROFILER_SYMBOLIZE_SOURCE_FRAME_H_

#include <cstdint>
#include <string>
#include <vector>

namespace wallprof::symbolize {

// A function, and the line in it. What is not known is empty or 0.
struct SourceFrame {
  std::string name;          // as in the source, without scope or parameters
  std::string linkage_name;  // mangled; empty for C
  std::string file;
  int64_t line = 0;
  // Of the function in `file`; 0 if it begins in another one.
  int64_t start_line = 0;
  // The same in whatever file it begins.
  int64_t declared_line = 0;
  // Of the code at `line`, which of its pieces it is, as the compiler says.
  uint32_t discriminator = 0;
};

// Innermost inlined function first; the function itself is last. Empty where
// nothing is known.
using SourceFrames = std::vector<SourceFrame>;

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_SOURCE_FRAME_H_
