// What addr2line and llvm-symbolizer say of addresses: the other opinions.
#ifndef WALLPROF_BENCH_SYMBOLIZE_OTHER_SYMBOLIZERS_H_
#define WALLPROF_BENCH_SYMBOLIZE_OTHER_SYMBOLIZERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "profiler/symbolize/debug_locator.h"

namespace wallprof::symbolize {

// A function and where in it. "??" and 0 are unknown.
struct AnsweredFrame {
  std::string function;  // as in the object file
  std::string file;      // without "." and ".." as far as that can be told
  int64_t line = 0;

  friend bool operator==(const AnsweredFrame& a, const AnsweredFrame& b) {
    return a.function == b.function && a.file == b.file && a.line == b.line;
  }
};

// Innermost inlined function first. At least one.
using Answer = std::vector<AnsweredFrame>;

struct Answers {
  std::vector<Answer> of;  // by address; empty if the tool is not there
  absl::Duration time;
};

// Of addresses before relocation in the file at `path`.
Answers AskAddr2line(const std::string& path,
                     const std::vector<uint64_t>& addresses);
Answers AskLlvm(const std::string& path,
                const std::vector<uint64_t>& addresses);

// What the profiler's symbolizer says.
struct OwnAnswers : Answers {
  std::vector<std::string> comments;
  int64_t peak_bytes = 0;  // by which the process grew meanwhile
  absl::Duration again;    // the same addresses once more
  absl::Duration others;   // a hundred others
};
OwnAnswers AskWallprof(const std::string& path,
                       const std::vector<uint64_t>& addresses,
                       const DebugPlaces& debug_places);

// About `count` addresses, evenly spaced over the code of the file at `path`.
std::vector<uint64_t> SpreadAddresses(const std::string& path, size_t count);

// In what our answer may differ from another tool's; kDifferent is all else.
enum class Difference {
  kNone,
  // They fill in a file without line from symbols; we leave it out.
  kNoLine,
  // Where the directory that it was compiled in is relative (packages hide
  // theirs so), they have it twice: csu/csu/abort.c.
  kDirectoryTwice,
  // They call it f.cold or f.constprop.0, we call it f.
  kPartOfFunction,
  // Of a function's several names in the symbol table we take the one that
  // callers use.
  kAlias,
  kDifferent,
};
inline constexpr int kDifferences = 6;
const char* NameOf(Difference difference);
Difference DifferenceBetween(const Answer& ours, const Answer& theirs);

std::string ToString(const Answer& answer);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_BENCH_SYMBOLIZE_OTHER_SYMBOLIZERS_H_
