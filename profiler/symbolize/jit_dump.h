// Names and lines of code that was compiled at run time, from the file that its
// compiler wrote for `perf inject --jit`.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_JIT_DUMP_H_
#define WALLPROF_PROFILER_SYMBOLIZE_JIT_DUMP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "profiler/symbolize/name_cache.h"

namespace wallprof::symbolize {

// Such a file has a copy of all code that was ever compiled: programs that run
// for days write gigabytes. What lies beyond this has no names from there;
// reading this much takes a tenth of a second.
inline constexpr uint64_t kMaxJitDumpBytes = uint64_t{256} << 20;

// The files of this process: those that it has mapped, as compilers do for perf
// to notice; then /tmp/jit-PID.dump and ~/.debug/jit/*/jit-PID.dump unless
// they are older than the process.
std::vector<std::string> FindJitDumps();

// What the file at `path` says of each of `addresses`; not `found` where it
// says nothing. The last code that was put at an address counts, and code that
// was moved is followed. Nothing is said by a file that is not this user's or
// root's, of another process, or of another machine; one that is malformed
// counts up to there.
std::vector<FoundFrame> ReadJitDump(const std::string& path,
                                    const std::vector<uint64_t>& addresses);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_JIT_DUMP_H_
