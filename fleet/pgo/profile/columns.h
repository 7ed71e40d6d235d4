// Which of a profile's columns say where CPU time went.
#ifndef WALLPROF_FLEET_PGO_PROFILE_COLUMNS_H_
#define WALLPROF_FLEET_PGO_PROFILE_COLUMNS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

// What compilers read, and their places in what is kept here.
inline constexpr char kSamples[] = "samples";
inline constexpr char kCount[] = "count";
inline constexpr char kCpu[] = "cpu";
inline constexpr char kNanoseconds[] = "nanoseconds";
enum Column : int { kSamplesColumn, kCpuColumn, kColumns };

// Leaves in `profile` the columns samples/count and cpu/nanoseconds, and only
// samples that have CPU time. One that is missing is made of the other: a
// sample stands for the period, where the profile's is CPU time, else for 10 ms
// as in Go. So is `samples` of a profile of wall-clock time, where it counts
// what was blocked too.
//
// InvalidArgument if there is neither column, or only wall-clock time; or if
// nothing is left, a value is negative, or a column's total above `most_total`.
absl::Status KeepCpuColumns(Profile& profile, int64_t most_total);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_COLUMNS_H_
