#include "profiler/profile/totals.h"

#include "profiler/profile/saturating.h"

namespace wallprof {

std::vector<int64_t> TotalsOf(const Profile& profile) {
  std::vector<int64_t> totals(profile.sample_types.size());
  for (const Sample& sample : profile.samples) {
    for (size_t i = 0; i < totals.size(); ++i) {
      totals[i] = SaturatingAdd(totals[i], sample.values[i]);
    }
  }
  return totals;
}

std::vector<double> RatiosOf(const Profile& from, const Profile& to) {
  std::vector<int64_t> from_totals = TotalsOf(from);
  std::vector<int64_t> to_totals = TotalsOf(to);
  std::vector<double> ratios(from_totals.size());
  for (size_t i = 0; i < ratios.size(); ++i) {
    if (from_totals[i] == 0) continue;
    ratios[i] =
        static_cast<double>(to_totals[i]) / static_cast<double>(from_totals[i]);
  }
  return ratios;
}

}  // namespace wallprof
