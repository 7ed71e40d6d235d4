// The form in which profiles are kept until they are merged, and how to know
// it.
#ifndef WALLPROF_FLEET_PGO_PROFILE_STAGED_FORM_H_
#define WALLPROF_FLEET_PGO_PROFILE_STAGED_FORM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/profile/accept.h"

namespace wallprof::pgo {

// In front of the version, which may be empty, in the one comment that a staged
// profile has.
inline constexpr std::string_view kVersionComment = "wallprof.version=";

// Of a version: it is part of keys and of files that people read.
inline constexpr size_t kMostVersionBytes = 256;

// InvalidArgument unless `version` is printable ASCII of at most
// kMostVersionBytes, or empty.
absl::Status CheckVersion(std::string_view version);

// A profile in the staged form.
struct StagedMessage {
  std::string message;
  std::string version;
  absl::Time time;  // UnixEpoch(): unknown
  int64_t samples = 0;
  int64_t cpu_ns = 0;
};

// The same in the staged form, not packed. `version` as for AcceptProfile,
// errors too.
absl::StatusOr<StagedMessage> ToStagedForm(std::string_view message,
                                           std::string_view version,
                                           const AcceptLimits& limits);

// What `message` is, without a copy of it, if it is in the staged form already
// and within `limits`. Costs a fraction of ToStagedForm. Any error means that
// it is not: ToStagedForm says why.
absl::StatusOr<StagedMessage> ReadStagedForm(std::string_view message,
                                             const AcceptLimits& limits);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_STAGED_FORM_H_
