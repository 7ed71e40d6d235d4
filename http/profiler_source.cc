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

 private:
  Profiler& profiler_;
};

}  // namespace

std::unique_ptr<ProfileSource> SourceOf(Profiler& profiler) {
  return std::make_unique<ProfilerSource>(profiler);
}

}  // namespace wallprof
