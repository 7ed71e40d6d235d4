#include "fleet/bundle/profiler_source.h"

namespace wallprof {

std::vector<absl::StatusOr<Profile>> bundle::ProfilerSource::CollectViews(
    absl::Duration duration, const std::vector<View>& views,
    const CollectOptions& options) {
  return profiler_.CollectViews(duration, views, options);
}

absl::StatusOr<Profile> bundle::ProfilerSource::Snapshot(View view) {
  return profiler_.Snapshot(view);
}

std::vector<ThreadInfo> bundle::ProfilerSource::Threads() {
  return profiler_.Threads();
}

absl::StatusOr<BundleReport> WriteBundle(Profiler& profiler,
                                         const BundleOptions& options,
                                         const BundleSink& sink) {
  bundle::ProfilerSource source(profiler);
  return WriteBundle(source, options, sink);
}

}  // namespace wallprof
