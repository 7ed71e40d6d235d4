// When rounds begin: at the same distance from each other, whatever a round
// takes.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_ROUNDS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_ROUNDS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace wallprof::pgo {

class Rounds {
 public:
  Rounds(absl::Time first, absl::Duration frequency)
      : next_(first), frequency_(frequency) {}

  // When the next one is to begin.
  absl::Time next() const { return next_; }

  // It begins, at `now`, which is not before next(). Returns how many were
  // missed since: one that is late begins at once, those that should have begun
  // after it meanwhile are left out.
  int64_t Begin(absl::Time now) {
    absl::Duration rest;
    const int64_t missed = absl::IDivDuration(now - next_, frequency_, &rest);
    next_ += (missed + 1) * frequency_;
    return missed;
  }

 private:
  absl::Time next_;
  const absl::Duration frequency_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_ROUNDS_H_
