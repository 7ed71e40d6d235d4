// A reading of a recording at a tick, and the difference of two.
#ifndef WALLPROF_PROFILER_STACKS_SNAPSHOT_H_
#define WALLPROF_PROFILER_STACKS_SNAPSHOT_H_

#include <cstdint>
#include <vector>

#include "profiler/stacks/recording.h"

namespace wallprof::stacks {

// What sampling could not see, so far or in a window.
struct Losses {
  int64_t late_ns = 0;  // by which ticks came late, summed
  int64_t truncated = 0;
  int64_t overflow = 0;
  int64_t masked = 0;
  int64_t small_stack = 0;
  int64_t exited = 0;
  int64_t late = 0;
  int64_t unseen = 0;
  int64_t dropped = 0;
};

// Time of a thread that is known without sampling.
struct KnownTime {
  int64_t cpu_ns = 0;
  int64_t waited_ns = 0;  // for a CPU
};

// Counts by entry id, and what is pending by thread, as of one tick.
struct Snapshot {
  int64_t time_ns = 0;  // the tick's, CLOCK_MONOTONIC; before any, the start
  int64_t ticks = 0;
  bool whole = true;  // each thread's time is in it up to that tick
  Losses losses;
  std::vector<Counts> entries;
  std::vector<Counts> pending;
  std::vector<KnownTime> known;  // by thread
};

// What passed between two snapshots under one key.
struct Measured {
  SampleKey key;
  Counts counts;
};

struct Measurement {
  int64_t start_ns = 0;  // CLOCK_MONOTONIC
  int64_t end_ns = 0;
  int64_t ticks = 0;
  bool cpu_only = false;  // there is no wall time in it
  Losses losses;
  std::vector<Measured> samples;
  std::vector<Measured> lock_waits;  // of keys with a holder
};

// Reads `recording` between two ticks; while one is under way, waits for its
// end a few milliseconds at most. Where no quiet moment comes (a tick longer
// than its period), the reading is off by at most one tick's weight.
// Blocks nobody.
Snapshot TakeSnapshot(const Recording& recording);

// The state before the first tick.
Snapshot EmptySnapshot(const Recording& recording);

// Adds up what differs by nothing but its target: for those who did not ask
// what samples wait for while somebody else did.
void ForgetTargets(Measurement& measurement);

// What `end` has more than `start`. Each thread's wall time is then parted into
// running, waiting for a CPU and blocked as its clocks tell, each part keeping
// the shares that the looks gave it (post-stratification; W. G. Cochran,
// Sampling Techniques, 5A.9): so that a look that came late because a CPU was
// busy does not take time from what was running there.
// Time still pending is put under
// [not sampled]; where `start` had more pending than `end`, the thread's
// running samples are reduced by it, since that time lay before the window.
Measurement Difference(const Recording& recording, const Snapshot& start,
                       const Snapshot& end, StackId not_sampled);

}  // namespace wallprof::stacks

#endif  // WALLPROF_PROFILER_STACKS_SNAPSHOT_H_
