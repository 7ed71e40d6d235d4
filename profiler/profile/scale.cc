#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/profile/sample_types.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/totals.h"
#include "wallprof/filter.h"
#include "wallprof/merge.h"

namespace wallprof {

absl::StatusOr<Profile> Scale(const Profile& profile,
                              absl::Span<const double> ratios) {
  if (absl::Status s = CheckValid(profile); !s.ok()) return s;
  size_t types = profile.sample_types.size();
  if (ratios.size() != types) {
    return absl::InvalidArgumentError(
        absl::StrCat(ratios.size(), " ratios for ", types, " sample types"));
  }
  if (!std::all_of(ratios.begin(), ratios.end(),
                   [](double ratio) { return std::isfinite(ratio); })) {
    return absl::InvalidArgumentError("a ratio is not finite");
  }
  Profile scaled = profile;
  for (Sample& sample : scaled.samples) {
    for (size_t i = 0; i < types; ++i) {
      sample.values[i] = SaturatingScale(sample.values[i], ratios[i]);
    }
  }
  return Merge(absl::MakeConstSpan(&scaled, 1));
}

absl::StatusOr<Profile> Normalize(const Profile& profile, const Profile& to) {
  if (profile.sample_types != to.sample_types) {
    return absl::InvalidArgumentError(absl::StrCat(
        "incompatible sample types ", ToString(profile.sample_types), " and ",
        ToString(to.sample_types)));
  }
  for (const Profile* each : {&profile, &to}) {
    if (absl::Status s = CheckValid(*each); !s.ok()) return s;
  }
  return Scale(profile, RatiosOf(profile, to));
}

}  // namespace wallprof
