// Names for the code that a profile met: from addresses to functions and lines.
//
// Works on the plain profile, after the fact and off the sampling path. A name
// is right or it is missing: the file on disk must be the one that was loaded,
// by its build id, or, where it has none, by this process's memory map.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_SYMBOLIZER_H_
#define WALLPROF_PROFILER_SYMBOLIZE_SYMBOLIZER_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/dwarf/source_search.h"
#include "profiler/symbolize/name_cache.h"
#include "wallprof/profile.h"

namespace wallprof::symbolize {

// How much to keep and where to look. The defaults are those of the profiler.
struct SymbolizerOptions {
  // Of names and lines between calls: those of some 30 000 functions, half of
  // that where they are templates. Profiles of one service meet fewer. What
  // shortens the search for more, SourceIndex, is in it.
  size_t cache_bytes = size_t{12} << 20;

  // For debug information during a call, see FindSource. Modules that need more
  // have names without lines.
  size_t source_bytes = kMaxSourceBytes;

  // Where debug information may be besides in the module itself.
  DebugPlaces debug_places;

  // What code that was compiled at run time is called, as perf has it; empty
  // for /tmp/perf-PID.map of this process.
  std::string perf_map;

  // The same with lines, as perf's jitdump has it; empty for what FindJitDumps
  // finds. Where both have a name, this counts.
  std::string jit_dump;
};

// Thread-safe; one profile is named at a time. Between calls it holds at most
// `cache_bytes`. During one it holds the names of that profile's own modules
// besides, about 150 bytes for each address that it searches (8 MiB for
// 50 000), and up to `source_bytes`; of the caller's stack, libdw takes some
// 160 KiB.
class Symbolizer {
 public:
  explicit Symbolizer(SymbolizerOptions options = {});

  // Gives every location that has an address and no lines its functions, the
  // innermost inlined one first, with lines where there is debug information:
  //   serve(int)           from debug information and symbol tables
  //   libc.so.6+0x891f4    where they have none there: the address before
  //                        relocation, which addr2line takes
  //   0x7f120000           where there is no mapping, nor a name in what is
  //                        written for perf
  // A file that is not the one loaded, or cannot be read, is named in a
  // comment; its code is then told by file offset. Debug information that
  // cannot be read is named in a comment too. Sets has_functions and the like
  // of the mappings where there was one. Opens files close-on-exec and closes
  // them before it returns.
  // Once `hurry`, which is asked now and then, says true, no more debug
  // information is read: functions have their names from symbol tables, without
  // lines. That is not remembered for later calls. May be empty.
  void Symbolize(Profile& profile, const std::function<bool()>& hurry = {});

 private:
  const SymbolizerOptions options_;
  std::mutex mutex_;
  NameCache cache_;  // guarded by mutex_
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_SYMBOLIZER_H_
