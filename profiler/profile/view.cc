#include "profiler/profile/view.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/profile/sample_types.h"
#include "profiler/profile/saturating.h"

namespace wallprof {
namespace {

constexpr View kViews[] = {View::kWall, View::kCpu, View::kOffCpu,
                           View::kBlockedBy};

// The sample type that a view is called in profiles.
std::string_view TypeOfView(View view) {
  return view == View::kBlockedBy ? "lockwait" : NameOfView(view);
}

absl::StatusOr<int> RequireType(const Profile& profile, View view) {
  std::string name(TypeOfView(view));
  int index = SampleTypeIndex(profile, name);
  if (index >= 0) return index;
  return absl::InvalidArgumentError(
      absl::StrCat("the profile has no sample type ", name, ", only ",
                   ToString(profile.sample_types)));
}

absl::StatusOr<ViewColumn> OffCpuColumn(const Profile& profile) {
  absl::StatusOr<int> wall = RequireType(profile, View::kWall);
  if (!wall.ok()) return wall.status();
  absl::StatusOr<int> cpu = RequireType(profile, View::kCpu);
  if (!cpu.ok()) return cpu.status();
  const ValueType& wall_type = profile.sample_types[*wall];
  const ValueType& cpu_type = profile.sample_types[*cpu];
  if (wall_type.unit != cpu_type.unit) {
    return absl::InvalidArgumentError(
        absl::StrCat("wall and cpu differ in unit: ", ToString(wall_type),
                     " and ", ToString(cpu_type)));
  }
  return ViewColumn{
      {std::string(NameOfView(View::kOffCpu)), wall_type.unit}, *wall, *cpu};
}

}  // namespace

std::optional<View> ViewOfName(std::string_view name) {
  for (View view : kViews) {
    if (NameOfView(view) == name) return view;
  }
  return std::nullopt;
}

std::string_view NameOfView(View view) {
  switch (view) {
    case View::kWall:
      return "wall";
    case View::kCpu:
      return "cpu";
    case View::kOffCpu:
      return "offcpu";
    case View::kBlockedBy:
      return "blockedby";
  }
  return "";
}

int64_t ViewColumn::Of(const Sample& sample) const {
  if (index < 0) return 0;
  if (minus_index < 0) return sample.values[index];
  int64_t value = sample.values[index];
  int64_t rest = SaturatingSubtract(value, sample.values[minus_index]);
  // What a difference takes away is negative, and so is what is left of it.
  return value < 0 ? std::min<int64_t>(0, rest) : std::max<int64_t>(0, rest);
}

absl::StatusOr<ViewColumn> FindColumn(const Profile& profile, View view) {
  if (view == View::kOffCpu) return OffCpuColumn(profile);
  absl::StatusOr<int> index = RequireType(profile, view);
  if (!index.ok()) return index.status();
  return ViewColumn{profile.sample_types[*index], *index};
}

ViewColumn ColumnOrDefault(const Profile& profile, View view) {
  absl::StatusOr<ViewColumn> column = FindColumn(profile, view);
  if (column.ok()) return *column;
  int index = DefaultSampleTypeIndex(profile);
  if (index < 0) return {};
  return {profile.sample_types[index], index};
}

absl::StatusOr<Profile> SelectView(const Profile& profile, View view) {
  absl::StatusOr<ViewColumn> column = FindColumn(profile, view);
  if (!column.ok()) return column.status();
  if (view == View::kWall || view == View::kBlockedBy) return profile;
  if (absl::Status s = CheckValid(profile); !s.ok()) return s;

  Profile seen = profile;
  int count = SampleTypeIndex(profile, "samples");
  seen.sample_types.clear();
  if (count >= 0) seen.sample_types.push_back(profile.sample_types[count]);
  seen.sample_types.push_back(column->type);
  seen.default_sample_type = column->type.type;
  // The time between looks is the same whatever is counted of it; any other
  // period (bytes, say) means nothing for this view.
  if (seen.period_type.unit != column->type.unit) seen.period = 0;
  seen.period_type = column->type;
  for (Sample& sample : seen.samples) {
    std::vector<int64_t> values;
    if (count >= 0) values.push_back(sample.values[count]);
    values.push_back(column->Of(sample));
    sample.values = std::move(values);
  }
  seen.samples.erase(
      std::remove_if(seen.samples.begin(), seen.samples.end(),
                     [](const Sample& s) { return s.values.back() == 0; }),
      seen.samples.end());
  // Drops the locations and functions that only dropped samples led to.
  return Merge(absl::MakeConstSpan(&seen, 1));
}

}  // namespace wallprof
