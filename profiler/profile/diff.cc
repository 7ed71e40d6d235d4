#include <vector>

#include "profiler/profile/saturating.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

std::vector<int64_t> Totals(const Profile& profile) {
  std::vector<int64_t> totals(profile.sample_types.size());
  for (const Sample& sample : profile.samples) {
    for (size_t i = 0; i < totals.size(); ++i) {
      totals[i] = SaturatingAdd(totals[i], sample.values[i]);
    }
  }
  return totals;
}

// What makes `from`'s totals `to`'s. A type that is zero throughout stays so.
std::vector<double> Ratios(const Profile& from, const Profile& to) {
  std::vector<int64_t> from_totals = Totals(from);
  std::vector<int64_t> to_totals = Totals(to);
  std::vector<double> ratios(from_totals.size());
  for (size_t i = 0; i < ratios.size(); ++i) {
    if (from_totals[i] == 0) continue;
    ratios[i] =
        static_cast<double>(to_totals[i]) / static_cast<double>(from_totals[i]);
  }
  return ratios;
}

}  // namespace

absl::StatusOr<Profile> Diff(const Profile& before, const Profile& after,
                             bool normalize) {
  for (const Profile* profile : {&before, &after}) {
    if (absl::Status s = CheckValid(*profile); !s.ok()) return s;
  }
  std::vector<Profile> terms = {after, before};
  std::vector<double> ratios(before.sample_types.size(), 1);
  if (normalize && before.sample_types == after.sample_types) {
    ratios = Ratios(before, after);
  }
  for (Sample& sample : terms[1].samples) {
    for (size_t i = 0; i < ratios.size(); ++i) {
      sample.values[i] =
          SaturatingSubtract(0, SaturatingScale(sample.values[i], ratios[i]));
    }
  }
  absl::StatusOr<Profile> diff = Merge(terms);
  if (diff.ok()) {
    // A sum of durations would describe neither side.
    diff->time = after.time;
    diff->duration = after.duration;
  }
  return diff;
}

}  // namespace wallprof
