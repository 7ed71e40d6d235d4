#include <memory>
#include <vector>

#include "wallprof/http.h"

namespace wallprof {

namespace {

class ProfilerSource : public ProfileSource {
 public:
  explicit ProfilerSource(Profiler& profiler) : profiler_(profiler) {}

  absl::StatusOr<Profile> Collect(absl::Duration duration,
                                  const CollectOptions& options) override {
    return profiler_.Collect(duration, options);
  }
  std::vector<absl::StatusOr<Profile>> CollectViews(
      absl::Duration duration, const std::vector<View>& views,
      const CollectOptions& options) override {
    return profiler_.CollectViews(duration, views, options);
  }
  absl::StatusOr<Profile> Snapshot(View view) override {
    return profiler_.Snapshot(view);
  }
  std::vector<ThreadInfo> Threads() override { return profiler_.Threads(); }
  Statistics Stats() override { return profiler_.Stats(); }
  absl::StatusOr<Profile> Past(absl::Time from, absl::Time to,
                               const PastOptions& options) override {
    return profiler_.Past(from, to, options);
  }
  absl::StatusOr<Recorded> DescribeRecorded() override {
    return profiler_.DescribeRecorded();
  }

 private:
  Profiler& profiler_;
};

}  // namespace

absl::StatusOr<Profile> ProfileSource::Past(absl::Time, absl::Time,
                                            const PastOptions&) {
  return absl::NotFoundError("Nothing is recorded here.");
}

absl::StatusOr<Recorded> ProfileSource::DescribeRecorded() {
  return absl::NotFoundError("Nothing is recorded here.");
}

std::vector<absl::StatusOr<Profile>> ProfileSource::CollectViews(
    absl::Duration duration, const std::vector<View>& views,
    const CollectOptions& options) {
  const absl::StatusOr<Profile> wall = Collect(duration, options);
  std::vector<absl::StatusOr<Profile>> profiles;
  for (const View view : views) {
    profiles.push_back(wall.ok() ? SelectView(*wall, view) : wall);
  }
  return profiles;
}

absl::StatusOr<Profile> ProfileSource::Snapshot(View) {
  return absl::UnimplementedError("Nothing is kept of the time before.");
}

std::unique_ptr<ProfileSource> SourceOf(Profiler& profiler) {
  return std::make_unique<ProfilerSource>(profiler);
}

}  // namespace wallprof
