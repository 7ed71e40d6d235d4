// How a view is had from a profile's columns.
#ifndef WALLPROF_PROFILER_PROFILE_VIEW_H_
#define WALLPROF_PROFILER_PROFILE_VIEW_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "wallprof/merge.h"
#include "wallprof/profile.h"

namespace wallprof {

// The one number of each sample that a view shows.
struct ViewColumn {
  ValueType type;
  int index = -1;        // in Sample::values; -1: all are 0
  int minus_index = -1;  // taken off, not past 0; -1: nothing

  int64_t Of(const Sample& sample) const;
};

// InvalidArgument if the profile lacks what the view is made of.
absl::StatusOr<ViewColumn> FindColumn(const Profile& profile, View view);

// As above, but a profile that cannot be seen so is seen by its default type.
ViewColumn ColumnOrDefault(const Profile& profile, View view);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_VIEW_H_
