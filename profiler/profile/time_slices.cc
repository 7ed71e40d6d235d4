#include "profiler/profile/time_slices.h"

#include <algorithm>
#include <string>

#include "absl/strings/strip.h"

namespace wallprof {
namespace {

constexpr absl::string_view kCommentStart = "wallprof: ";

// Beyond it sums of times could overflow: 36 years.
constexpr int64_t kMostNs = int64_t{1} << 60;

}  // namespace

std::vector<Label> LabelsOfSlice(const TimeSlice& slice) {
  return {{kSliceStartKey, "", slice.start_ns, "nanoseconds"},
          {kSliceLengthKey, "", slice.length_ns, "nanoseconds"}};
}

TimeSlice SliceOf(const Profile& profile, const Sample& sample) {
  TimeSlice slice;
  slice.length_ns = absl::ToInt64Nanoseconds(profile.duration);
  for (const Label& label : sample.labels) {
    if (!label.text.empty()) continue;
    if (label.key == kSliceStartKey) slice.start_ns = label.number;
    if (label.key == kSliceLengthKey) slice.length_ns = label.number;
  }
  slice.start_ns = std::clamp<int64_t>(slice.start_ns, 0, kMostNs);
  slice.length_ns = std::clamp<int64_t>(slice.length_ns, 0, kMostNs);
  return slice;
}

std::vector<TimedComment> TimedComments(const Profile& profile) {
  std::vector<TimedComment> timed;
  for (const std::string& comment : profile.comments) {
    absl::string_view text = comment;
    if (!absl::ConsumePrefix(&text, kCommentStart)) continue;
    const size_t space = text.find(' ');
    if (space == absl::string_view::npos) continue;
    absl::Time time;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, text.substr(0, space), &time,
                         &error)) {
      continue;
    }
    timed.push_back({absl::ToInt64Nanoseconds(time - profile.time),
                     std::string(text.substr(space + 1))});
  }
  return timed;
}

}  // namespace wallprof
