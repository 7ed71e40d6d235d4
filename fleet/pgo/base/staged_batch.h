// Staged profiles, read.
#ifndef WALLPROF_FLEET_PGO_BASE_STAGED_BATCH_H_
#define WALLPROF_FLEET_PGO_BASE_STAGED_BATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/pgo/profile/accept.h"
#include "fleet/pgo/profile/part.h"
#include "wallprof/object_store.h"

namespace wallprof::pgo {

// A profile that can never be part of a base, and why.
struct Refused {
  int64_t id = 0;
  std::string why;  // a sentence
};

// Those of `app` called `ids`, unpacked and checked by a few threads, given to
// `take` one after the other in their order; those that are not there any more
// are left out, those that cannot be read go to `refused`. At most
// kReadAhead of them are in memory at a time, besides what `take` keeps. Errors
// are those of the store and of `take`; they end it.
inline constexpr size_t kReadAhead = 6;
absl::Status ReadStagedBatch(
    ObjectStore& objects, std::string_view app, const std::vector<int64_t>& ids,
    const AcceptLimits& limits,
    const std::function<absl::Status(int64_t id, StagedProfile)>& take,
    std::vector<Refused>& refused);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_STAGED_BATCH_H_
