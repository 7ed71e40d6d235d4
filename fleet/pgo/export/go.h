// The profile as `go build -pgo` reads it.
#ifndef WALLPROF_FLEET_PGO_EXPORT_GO_H_
#define WALLPROF_FLEET_PGO_EXPORT_GO_H_

#include <string>

#include "absl/status/statusor.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

// pprof, gzipped, of `profile`, which KeepOnCpu() has reduced: without labels,
// with names, lines and inlined calls as they are. FailedPrecondition where no
// function tells the line that it begins at: Go refuses such a profile.
absl::StatusOr<std::string> GoProfile(const Profile& profile);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_GO_H_
