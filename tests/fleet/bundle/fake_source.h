// What bundles are made of, in a test's hand.
#ifndef WALLPROF_TESTS_FLEET_BUNDLE_FAKE_SOURCE_H_
#define WALLPROF_TESTS_FLEET_BUNDLE_FAKE_SOURCE_H_

#include <map>
#include <vector>

#include "wallprof/bundle.h"

namespace wallprof::bundle {

class FakeSource : public BundleSource {
 public:
  FakeSource();

  std::vector<absl::StatusOr<Profile>> CollectViews(
      absl::Duration duration, const std::vector<View>& views,
      const CollectOptions& options) override;
  absl::StatusOr<Profile> Snapshot(View view) override;
  std::vector<ThreadInfo> Threads() override { return threads; }

  // What measuring gives; a test puts errors here.
  std::map<View, absl::StatusOr<Profile>> profiles;
  std::vector<ThreadInfo> threads;
  std::function<void(absl::Duration)> on_collect;  // instead of the time
};

// Small, and told apart by its period.
Profile ProfileOfPeriod(int64_t period);

}  // namespace wallprof::bundle

#endif  // WALLPROF_TESTS_FLEET_BUNDLE_FAKE_SOURCE_H_
