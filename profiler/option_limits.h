// What Options may say.
#ifndef WALLPROF_PROFILER_OPTION_LIMITS_H_
#define WALLPROF_PROFILER_OPTION_LIMITS_H_

#include <optional>

#include "absl/status/status.h"
#include "wallprof/merge.h"

namespace wallprof {

// InvalidArgument, with the limits, unless threads may be looked at so often a
// second.
absl::Status CheckFrequency(int frequency_hz);

// Where CPU time alone is measured: InvalidArgument, saying so, for any view
// but that.
absl::Status CheckCpuView(std::optional<View> asked);

// The same for a rate above `frequency_hz`, that of the start.
absl::Status FixedFrequencyError(int frequency_hz);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_OPTION_LIMITS_H_
