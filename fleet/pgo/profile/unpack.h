// The message in what was sent or kept.
#ifndef WALLPROF_FLEET_PGO_PROFILE_UNPACK_H_
#define WALLPROF_FLEET_PGO_PROFILE_UNPACK_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace wallprof::pgo {

// Puts the message in `bytes`, packed by gzip or not, into `message`, whose
// memory is used again. InvalidArgument if there are none, or they are damaged;
// ResourceExhausted beyond `max_bytes`, of which no more is held.
absl::Status Unpack(std::string_view bytes, size_t max_bytes,
                    std::string& message);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_UNPACK_H_
