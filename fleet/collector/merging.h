// Adds up stored profiles, as they are read: memory grows with the sum.
#ifndef WALLPROF_FLEET_COLLECTOR_MERGING_H_
#define WALLPROF_FLEET_COLLECTOR_MERGING_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/collector/limits.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_store.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::collector {

// profefe's words for it.
inline constexpr char kNothingFound[] = "nothing found";

// The sum, and what is not in it; empty if all is.
struct Sum {
  PprofMerger merger;
  std::string warning;
};

// Adds up `entries`, on as many threads as there are processors. One that
// cannot be read or does not go with the others is left out, and the warning
// counts them and quotes the first reason; so it does what was not reached by
// `deadline`. Cancelled when `is_cancelled` says so; NotFound where nothing was
// left; InvalidArgument where nothing could be added; Unavailable where time
// was up before anything was; OutOfRange beyond Limits::merge_bytes.
absl::StatusOr<Sum> AddUp(store::ProfileStore& store,
                          const std::vector<store::IndexEntry>& entries,
                          const Limits& limits, absl::Time deadline,
                          const std::function<bool()>& is_cancelled);

// Joins the sentences of two warnings.
std::string JoinWarnings(const std::string& a, const std::string& b);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_MERGING_H_
