// The profile.proto message itself, as it is before gzip.
#ifndef WALLPROF_PROFILER_ENCODE_PPROF_MESSAGE_H_
#define WALLPROF_PROFILER_ENCODE_PPROF_MESSAGE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "wallprof/profile.h"

namespace wallprof {

// The profile must pass CheckValid.
std::string EncodePprofMessage(const Profile& profile);

// InvalidArgument as DecodePprof, and if the profile would take more than
// `max_bytes` of memory: two bytes of a message can ask for a hundred, and one
// long string can be named many times.
absl::StatusOr<Profile> DecodePprofMessage(std::string_view message,
                                           size_t max_bytes);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_PPROF_MESSAGE_H_
