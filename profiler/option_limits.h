// What Options may say.
#ifndef WALLPROF_PROFILER_OPTION_LIMITS_H_
#define WALLPROF_PROFILER_OPTION_LIMITS_H_

#include "absl/status/status.h"

namespace wallprof {

// InvalidArgument, with the limits, unless threads may be looked at so often a
// second.
absl::Status CheckFrequency(int frequency_hz);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_OPTION_LIMITS_H_
