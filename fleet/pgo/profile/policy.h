// What old profiles, and those of old versions, count for.
#ifndef WALLPROF_FLEET_PGO_PROFILE_POLICY_H_
#define WALLPROF_FLEET_PGO_PROFILE_POLICY_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/pgo/profile/part.h"

namespace wallprof::pgo {

struct Policy {
  // A profile counts half as much as one taken so much later; zero: all count
  // the same. Ages are those beside the newest profile, not beside the clock:
  // only ratios matter to a compiler, and so a base is a function of its
  // profiles alone.
  absl::Duration half_life = absl::ZeroDuration();

  // What profiles of a version count for when there is a newer one; 1: as much
  // as the newest's. The newest is the one whose first profile came last.
  double old_version_weight = 1;

  // Of versions or build ids that are named, instead of old_version_weight; 0
  // leaves their profiles out. Age counts as for the others.
  std::map<std::string, double, std::less<>> version_weights;
};

// Time is cut into so many stretches a half-life: within one, profiles count
// the same, at most 9 % off.
inline constexpr int kStretchesPerHalfLife = 8;

// Parts that count for less than this share of the newest are left out and
// deleted: 2^-10.
inline constexpr double kLeastWeight = 1.0 / 1024;

// InvalidArgument unless the half-life is finite and not below 0, and weights
// are 0 to 1.
absl::Status CheckPolicy(const Policy& policy);

PartKey PartKeyOf(const Policy& policy, std::string_view version,
                  absl::Time time);

struct PartAge {
  PartKey key;
  absl::Time first;  // time of the earliest profile in it
};

// The weight of each part, 0 to 1; 0: it is not part of the base any more.
// Parts that were made under another policy are weighed as well as those of
// this one.
std::vector<double> WeightsOf(const Policy& policy,
                              const std::vector<PartAge>& parts);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_POLICY_H_
