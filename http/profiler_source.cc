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

std::unique_ptr<ProfileSource> SourceOf(Profiler& profiler) {
  return std::make_unique<ProfilerSource>(profiler);
}

}  // namespace wallprof
