// A stretch of what was recorded, as a profile.
#ifndef WALLPROF_PROFILER_RECORD_WINDOW_H_
#define WALLPROF_PROFILER_RECORD_WINDOW_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "profiler/record/dictionary.h"
#include "profiler/record/event.h"
#include "profiler/record/slice.h"
#include "profiler/stacks/measured_profile.h"
#include "wallprof/profile.h"
#include "wallprof/recorder.h"

namespace wallprof::record {

// Of CLOCK_REALTIME.
struct Interval {
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();
};

// The slices, in their order, whose middle lies in [from, to): so that what
// adjoining intervals give adds up. Where there is none, the one slice that has
// most of the interval.
std::vector<const Slice*> SlicesIn(const Interval& interval,
                                   absl::Span<const Slice* const> slices);

struct WindowOptions {
  PastOptions past;
  // With slices apart, of which these may be a part: when the first began, on
  // CLOCK_REALTIME, and how many there are.
  int64_t origin_wall_ns = 0;
  size_t all_slices = 1;
};

// A profile as Collect gives it, not symbolized: time is the first slice's
// start, duration the sum of theirs. Comments tell how long slices are and what
// of `events` happened meanwhile. All slices are of `dictionary`; there is one
// at least.
Profile ProfileOf(const Dictionary& dictionary,
                  absl::Span<const Slice* const> slices,
                  absl::Span<const Event> events,
                  const stacks::SyscallNames& syscall_name,
                  const WindowOptions& options = {});

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_WINDOW_H_
