// When to profile.
#ifndef WALLPROF_FLEET_AGENT_SCHEDULE_H_
#define WALLPROF_FLEET_AGENT_SCHEDULE_H_

#include <functional>

#include "absl/time/time.h"

namespace wallprof::agent {

// A number from 0 up to and without 1.
using Random = std::function<double()>;

// One that nobody can foretell, seeded anew each time.
Random NewRandom();

class Schedule {
 public:
  explicit Schedule(absl::Duration interval, Random random)
      : interval_(interval), random_(std::move(random)) {}

  // Before the first profile: from 1 to 9 s, or less where the interval is
  // short. Programs that were started together part.
  absl::Duration First() const;

  // From the start of one to the start of the next: the interval, give or take
  // a tenth. On average it is the interval.
  absl::Duration Next() const;

 private:
  const absl::Duration interval_;
  const Random random_;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_SCHEDULE_H_
