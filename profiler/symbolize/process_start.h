// When this process began. Files in shared places that are named by process id
// may be an earlier process's: ids return.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_PROCESS_START_H_
#define WALLPROF_PROFILER_SYMBOLIZE_PROCESS_START_H_

#include <cstdint>

namespace wallprof::symbolize {

// Seconds since 1970, rounded down, as files' times are. 0 if it cannot be
// known: then no file is older. Thread-safe.
int64_t ProcessStartSeconds();

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_PROCESS_START_H_
