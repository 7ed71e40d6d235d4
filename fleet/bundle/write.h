// A bundle as of a time of the caller's choice.
#ifndef WALLPROF_FLEET_BUNDLE_WRITE_H_
#define WALLPROF_FLEET_BUNDLE_WRITE_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/bundle.h"

namespace wallprof::bundle {

// As WriteBundle, begun at `capture`.
absl::StatusOr<BundleReport> WriteBundleAt(BundleSource& source,
                                           const BundleOptions& options,
                                           absl::Time capture,
                                           const BundleSink& sink);

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_WRITE_H_
