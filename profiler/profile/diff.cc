#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/totals.h"
#include "profiler/profile/view.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

// The column alone, as a type of `name`, of the samples that have any of it.
Profile OnlyColumn(const Profile& profile, const ViewColumn& column,
                   const std::string& name) {
  Profile seen = profile;
  seen.sample_types = {{name, column.type.unit}};
  seen.default_sample_type = name;
  seen.period_type = seen.sample_types[0];
  seen.samples.clear();
  for (const Sample& sample : profile.samples) {
    int64_t weight = column.Of(sample);
    if (weight == 0) continue;
    seen.samples.push_back({sample.location_ids, {weight}, sample.labels});
  }
  return seen;
}

}  // namespace

absl::StatusOr<Profile> Diff(const Profile& before, const Profile& after,
                             const DiffOptions& options) {
  for (const Profile* profile : {&before, &after}) {
    if (absl::Status s = CheckValid(*profile); !s.ok()) return s;
  }
  std::vector<Profile> terms = {after, before};
  std::vector<double> ratios(before.sample_types.size(), 1);
  if (options.normalize && before.sample_types == after.sample_types) {
    ratios = RatiosOf(before, after);
  }
  for (Sample& sample : terms[1].samples) {
    for (size_t i = 0; i < ratios.size(); ++i) {
      sample.values[i] =
          SaturatingSubtract(0, SaturatingScale(sample.values[i], ratios[i]));
    }
    if (options.label_base && !IsOfBase(sample)) {
      sample.labels.push_back({kBaseKey, kBaseText});
    }
  }
  absl::StatusOr<Profile> diff = Merge(terms);
  if (diff.ok()) {
    // A sum of durations would describe neither side.
    diff->time = after.time;
    diff->duration = after.duration;
    if (options.label_base && !ratios.empty() && !IsDifference(*diff)) {
      // Of an empty base too it must show that there was one.
      diff->samples.push_back(
          {{}, std::vector<int64_t>(ratios.size()), {{kBaseKey, kBaseText}}});
    }
  }
  return diff;
}

absl::StatusOr<Profile> DiffViews(const Profile& before, View before_view,
                                  const Profile& after, View after_view,
                                  const DiffOptions& options) {
  absl::StatusOr<ViewColumn> before_column = FindColumn(before, before_view);
  if (!before_column.ok()) return before_column.status();
  absl::StatusOr<ViewColumn> after_column = FindColumn(after, after_view);
  if (!after_column.ok()) return after_column.status();
  std::string name = after_column->type.type;
  if (before_view != after_view) {
    absl::StrAppend(&name, "-", before_column->type.type);
  }
  for (const Profile* profile : {&before, &after}) {
    if (absl::Status s = CheckValid(*profile); !s.ok()) return s;
  }
  return Diff(OnlyColumn(before, *before_column, name),
              OnlyColumn(after, *after_column, name), options);
}

}  // namespace wallprof
