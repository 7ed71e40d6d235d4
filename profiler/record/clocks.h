// The clocks that a recording needs, and what they tell together.
#ifndef WALLPROF_PROFILER_RECORD_CLOCKS_H_
#define WALLPROF_PROFILER_RECORD_CLOCKS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "profiler/record/event.h"

namespace wallprof::record {

// Nanoseconds, all read at about the same time.
struct ClockReading {
  int64_t monotonic_ns = 0;  // stands still while the machine is suspended
  int64_t boottime_ns = 0;   // does not
  int64_t wall_ns = 0;       // CLOCK_REALTIME: can be set

  // Of an instant on CLOCK_MONOTONIC, by what the clocks show now.
  int64_t WallOf(int64_t at_monotonic_ns) const {
    return wall_ns - (monotonic_ns - at_monotonic_ns);
  }
};

using ReadClocks = std::function<ClockReading()>;

ClockReading ReadSystemClocks();

// Tells from one reading to the next whether the machine slept in between, and
// whether its realtime clock was set. Not thread-safe.
class ClockWatch {
 public:
  std::vector<Event> Observe(const ClockReading& now);

 private:
  std::optional<ClockReading> last_;
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_CLOCKS_H_
