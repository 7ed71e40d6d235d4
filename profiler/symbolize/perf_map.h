// Names of code that was compiled at run time, as its compiler wrote them down
// for perf.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_PERF_MAP_H_
#define WALLPROF_PROFILER_SYMBOLIZE_PERF_MAP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wallprof::symbolize {

// A map only grows while its program compiles. Of a longer one the end is read:
// what was written last is what holds.
inline constexpr size_t kMaxPerfMapBytes = size_t{16} << 20;

// The name that the map at `path` has for each of `addresses`; empty if it has
// none. An empty `path` is /tmp/perf-PID.map of this process, unless it is
// older than the process. Anybody can write to /tmp: a file that is not this
// user's or root's has no names. Of several lines for an address the last
// counts.
std::vector<std::string> ReadPerfMap(const std::string& path,
                                     const std::vector<uint64_t>& addresses);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_PERF_MAP_H_
