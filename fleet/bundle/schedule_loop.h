// When bundles are taken: arithmetic apart from clocks and threads.
#ifndef WALLPROF_FLEET_BUNDLE_SCHEDULE_LOOP_H_
#define WALLPROF_FLEET_BUNDLE_SCHEDULE_LOOP_H_

#include <functional>

#include "absl/time/time.h"
#include "wallprof/bundle_schedule.h"

namespace wallprof::bundle {

struct ScheduleWorld {
  // Waits; false if the schedule is to end, at once or meanwhile.
  std::function<bool(absl::Duration)> wait;
  std::function<double()> random;  // in [0, 1)
  // Takes a bundle: measured for a while, or of what is there.
  std::function<void(bool measured)> take;
};

// Runs until it is to end.
inline void RunSchedule(const BundleScheduleOptions& options,
                        const ScheduleWorld& world) {
  if (world.wait(options.first_after)) {
    world.take(/*measured=*/false);
    while (world.wait(options.interval - world.random() * options.jitter)) {
      world.take(/*measured=*/true);
    }
  }
  if (options.final_bundle) world.take(/*measured=*/false);
}

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_SCHEDULE_LOOP_H_
