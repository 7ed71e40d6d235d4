// What time it is: two clocks that tests have their own of.
#ifndef WALLPROF_FLEET_AGENT_CLOCK_H_
#define WALLPROF_FLEET_AGENT_CLOCK_H_

#include <time.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace wallprof::agent {

// The monotonic clock, as a time that means nothing but for differences: waits
// must not depend on who sets the other.
inline absl::Time SteadyNow() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return absl::TimeFromTimespec(time);
}

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const { return absl::Now(); }
  virtual absl::Time Steady() const { return SteadyNow(); }
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_CLOCK_H_
