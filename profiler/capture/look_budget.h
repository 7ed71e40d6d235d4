// Keeps what a tick costs within bounds.
//
// Where looking at every thread in every tick would cost more, every look is
// followed by a gap, the same for all threads on average, and as long as is
// needed. What a look finds has no part in that, so weights stay right; there
// are only fewer looks at each thread.
#ifndef WALLPROF_PROFILER_CAPTURE_LOOK_BUDGET_H_
#define WALLPROF_PROFILER_CAPTURE_LOOK_BUDGET_H_

#include <cstdint>

namespace wallprof::capture {

class LookBudget {
 public:
  // CPU time for a tick: a tenth of a core at 99 Hz, all of one at 1000. That
  // is enough for two hundred threads that run and block between any two ticks.
  static constexpr int64_t kTickNs = 1'000'000;

  // After a tick that took so much CPU time, `period_ns` after the one before.
  void Update(int64_t cost_ns, int64_t period_ns);

  // For how long a thread that was just looked at is left alone, on average;
  // 0: not at all.
  int64_t gap_ns() const { return gap_ns_; }

 private:
  double cost_ns_ = 0;  // of a tick, of late
  int64_t gap_ns_ = 0;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_LOOK_BUDGET_H_
