// A profiler as what bundles are made of.
#ifndef WALLPROF_FLEET_BUNDLE_PROFILER_SOURCE_H_
#define WALLPROF_FLEET_BUNDLE_PROFILER_SOURCE_H_

#include <vector>

#include "wallprof/bundle.h"

namespace wallprof::bundle {

class ProfilerSource : public BundleSource {
 public:
  // `profiler` must outlive the source.
  explicit ProfilerSource(Profiler& profiler) : profiler_(profiler) {}

  std::vector<absl::StatusOr<Profile>> CollectViews(
      absl::Duration duration, const std::vector<View>& views,
      const CollectOptions& options) override;
  absl::StatusOr<Profile> Snapshot(View view) override;
  std::vector<ThreadInfo> Threads() override;

 private:
  Profiler& profiler_;
};

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_PROFILER_SOURCE_H_
