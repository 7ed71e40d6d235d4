// Samples of a recorded profile whose slices were kept apart: numeric labels
// tell each one's slice.
#ifndef WALLPROF_PROFILER_PROFILE_TIME_SLICES_H_
#define WALLPROF_PROFILER_PROFILE_TIME_SLICES_H_

#include <cstdint>
#include <vector>

#include "wallprof/profile.h"

namespace wallprof {

// When a slice begins, in nanoseconds after Profile::time, and how long it is.
inline constexpr char kSliceStartKey[] = "slice_start";
inline constexpr char kSliceLengthKey[] = "slice_length";

struct TimeSlice {
  int64_t start_ns = 0;
  int64_t length_ns = 0;

  friend bool operator<(const TimeSlice& a, const TimeSlice& b) {
    return a.start_ns < b.start_ns;
  }
};

std::vector<Label> LabelsOfSlice(const TimeSlice& slice);

// The slice of a sample; that of the whole profile where its labels name none.
TimeSlice SliceOf(const Profile& profile, const Sample& sample);

// What happened in the time of a profile, by the comments of a recorder.
struct TimedComment {
  int64_t time_ns = 0;  // after Profile::time
  std::string text;     // "thread started 71 worker"
};
std::vector<TimedComment> TimedComments(const Profile& profile);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_TIME_SLICES_H_
