// The door: which profiles may become part of a base, and in which form they
// are kept.
#ifndef WALLPROF_FLEET_PGO_PROFILE_ACCEPT_H_
#define WALLPROF_FLEET_PGO_PROFILE_ACCEPT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wallprof::pgo {

struct AcceptLimits {
  size_t message_bytes = size_t{256} << 20;  // once it is unpacked
  int64_t samples = 1'000'000;
  int64_t depth = 4096;  // locations in a stack
  // Of all samples, and of all CPU time in nanoseconds (a hundred days): a
  // thousand such profiles add up within int64.
  int64_t total = int64_t{1} << 53;
};

// A profile in the form in which it is staged, and merged without another look:
// pprof of samples/count and cpu/nanoseconds, period type cpu/nanoseconds,
// without labels, without samples that have no CPU time, addresses as in the
// files that are mapped (so that processes agree whatever was loaded where).
struct AcceptedProfile {
  std::string bytes;    // gzipped
  std::string version;  // as given, else the main binary's build id, or empty
  int64_t samples = 0;  // stacks
  int64_t cpu_ns = 0;
};

// The profile in `body`: pprof, or what gperftools writes of CPU time, packed
// by gzip or not. `version`: what the sender calls the program's version; kept
// in the profile; may be empty.
//
// InvalidArgument in one sentence that says what is wrong: no profile at all
// (empty, truncated, other bytes), another kind (naming the sample types it
// has), wall-clock time without CPU time, no samples, dangling ids, negative
// values, sums beyond what can be added up. ResourceExhausted beyond a limit,
// naming it. Never crashes, whatever the bytes. Safe from any thread.
absl::StatusOr<AcceptedProfile> AcceptProfile(std::string_view body,
                                              std::string_view version,
                                              const AcceptLimits& limits = {});

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_ACCEPT_H_
