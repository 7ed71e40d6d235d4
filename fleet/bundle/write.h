// A bundle as of a time of the caller's choice.
#ifndef WALLPROF_FLEET_BUNDLE_WRITE_H_
#define WALLPROF_FLEET_BUNDLE_WRITE_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/bundle/assembly.h"
#include "wallprof/bundle.h"

namespace wallprof::bundle {

// As WriteBundle, begun at `capture`. What is the program's is called by
// `call`, else on this thread.
absl::StatusOr<BundleReport> WriteBundleAt(
    BundleSource& source, const BundleOptions& options, absl::Time capture,
    const BundleSink& sink, Assembly::CallProgram call = nullptr);

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_WRITE_H_
