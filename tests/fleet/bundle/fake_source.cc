#include "tests/fleet/bundle/fake_source.h"

namespace wallprof::bundle {

Profile ProfileOfPeriod(int64_t period) {
  Profile profile;
  profile.sample_types = {{"samples", "count"}};
  profile.period_type = {"wall", "nanoseconds"};
  profile.period = period;
  return profile;
}

FakeSource::FakeSource() {
  profiles = {{View::kWall, ProfileOfPeriod(1)},
              {View::kCpu, ProfileOfPeriod(2)},
              {View::kBlockedBy, ProfileOfPeriod(3)}};
  ThreadInfo thread;
  thread.tid = 7;
  thread.name = "fake";
  threads = {thread};
}

std::vector<absl::StatusOr<Profile>> FakeSource::CollectViews(
    absl::Duration duration, const std::vector<View>& views,
    const CollectOptions&) {
  if (on_collect) on_collect(duration);
  std::vector<absl::StatusOr<Profile>> collected;
  for (const View view : views) collected.push_back(profiles.at(view));
  return collected;
}

absl::StatusOr<Profile> FakeSource::Snapshot(View view) {
  return profiles.at(view);
}

}  // namespace wallprof::bundle
