// Names for the code that a profile met: from addresses to functions.
//
// Works on the plain profile, after the fact and off the sampling path. A name
// is right or it is missing: the file on disk must be the one that was loaded,
// by its build id, or, where it has none, by this process's memory map.
//
// Lines and inlined functions will come from DWARF, between the search in the
// symbol tables and the profile: as further Lines of the same locations.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_SYMBOLIZER_H_
#define WALLPROF_PROFILER_SYMBOLIZE_SYMBOLIZER_H_

#include <cstddef>
#include <mutex>

#include "profiler/symbolize/name_cache.h"
#include "wallprof/profile.h"

namespace wallprof::symbolize {

// Names of some 30 000 functions: more than profiles of one service meet.
inline constexpr size_t kDefaultCacheBytes = size_t{8} << 20;

// Thread-safe; one profile is named at a time. Between calls it holds at most
// `cache_bytes`. During one it holds the names of that profile's own modules
// besides, and about 150 bytes for each address that it searches: 8 MiB for
// 50 000. The size of the modules does not matter.
class Symbolizer {
 public:
  explicit Symbolizer(size_t cache_bytes = kDefaultCacheBytes);

  // Gives every location that has an address and no lines its function:
  //   serve(int)           from the symbol tables of the mapping's file
  //   libc.so.6+0x891f4    where they have none there: the address before
  //                        relocation, which addr2line takes
  //   0x7f120000           where there is no mapping
  // A file that is not the one loaded, or cannot be read, is named in a
  // comment; its code is then told by file offset. Sets has_functions of the
  // mappings whose symbol tables had a name. Opens files close-on-exec and
  // closes them before it returns.
  void Symbolize(Profile& profile);

 private:
  std::mutex mutex_;
  NameCache cache_;  // guarded by mutex_
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_SYMBOLIZER_H_
