// Sums over a whole profile, by sample type.
#ifndef WALLPROF_PROFILER_PROFILE_TOTALS_H_
#define WALLPROF_PROFILER_PROFILE_TOTALS_H_

#include <cstdint>
#include <vector>

#include "wallprof/profile.h"

namespace wallprof {

std::vector<int64_t> TotalsOf(const Profile& profile);

// What makes `from`'s totals `to`'s, which has the same types. 0 for a type
// that `from` has nothing of.
std::vector<double> RatiosOf(const Profile& from, const Profile& to);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_TOTALS_H_
