// In programs of many threads, those that have slept for long are looked at
// less often.
//
// Found asleep still, all the ticks left out were the same stack, exactly.
// Found awake, a look stands for half the time to its neighbours on both sides,
// as always, and that is unbiased as long as what the look finds decides
// neither of them. So the gap that follows a look was decided at the look
// before it, and gaps get shorter by a quarter at a time: shortened at once,
// bursts of less than a gap would count half, since they are seen at the end of
// a long gap and before a short one. What is left, for bursts as long as a gap
// in strict cycles, is within a twentieth of their time
// (tests/capture/look_gap_test.cc).
#ifndef WALLPROF_PROFILER_CAPTURE_LOOK_GAP_H_
#define WALLPROF_PROFILER_CAPTURE_LOOK_GAP_H_

#include <cstddef>
#include <cstdint>

#include "profiler/capture/observed_thread.h"

namespace wallprof::capture {

// The longest gap, in nanoseconds, with so many threads: looks at sleeping ones
// then cost about a hundredth of a core. Two hundred threads have no gaps yet.
// With very many it ends at a quarter of a second: a thread that wakes should
// be seen to.
int64_t LongestGapNs(size_t threads);

// Nanoseconds in which the thread, just looked at, is left alone; and decides
// the gap after that: up to `longest_ns` if it sleeps, and `any_ns` on average
// whatever it does.
int64_t TakeGap(ObservedThread& thread, int64_t now_ns, int64_t longest_ns,
                int64_t any_ns = 0);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_LOOK_GAP_H_
