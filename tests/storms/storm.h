// A program in uproar while it is sampled at the highest usual rate, and what
// its profile must be right about all the same.
#ifndef WALLPROF_TESTS_STORMS_STORM_H_
#define WALLPROF_TESTS_STORMS_STORM_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/capture/collected.h"

namespace wallprof::storms {

// How long each storm lasts: WALLPROF_STORM_SECONDS, or two.
absl::Duration StormLength();

// Does something until `done()`, over and over.
using Body = std::function<void(const std::function<bool()>& done)>;

// Runs each body on a thread of its own, named "storm", beside two threads that
// nap and compute, and samples at 999 Hz. Checks that
//   the two threads' wall time is that of the window, to the nanosecond;
//   the computing one's CPU time is that of its clock;
//   CPU time of all threads together is that of the process, within a tenth.
capture::Collected Rage(const std::vector<Body>& bodies);

}  // namespace wallprof::storms

#endif  // WALLPROF_TESTS_STORMS_STORM_H_
