#include "fleet/pgo/profile/policy.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace wallprof::pgo {
namespace {

// Long enough that no stretch begins where the last one does.
constexpr absl::Duration kShortestStretch = absl::Seconds(1);

absl::Duration LengthOf(const Policy& policy) {
  return std::max(policy.half_life / kStretchesPerHalfLife, kShortestStretch);
}

bool HasDecay(const Policy& policy) {
  return policy.half_life > absl::ZeroDuration();
}

// Where the stretch begins that `time` is in.
absl::Time BeginOf(const Policy& policy, absl::Time time) {
  const absl::Duration length = LengthOf(policy);
  absl::Duration rest;
  const int64_t stretches =
      absl::IDivDuration(time - absl::UnixEpoch(), length, &rest);
  return absl::UnixEpoch() + stretches * length;
}

// What the policy says of this very version; 1 if nothing.
const double* NamedWeight(const Policy& policy, std::string_view version) {
  const auto found = policy.version_weights.find(version);
  return found == policy.version_weights.end() ? nullptr : &found->second;
}

bool IsLeftOut(const Policy& policy, const PartAge& part) {
  const double* named = NamedWeight(policy, part.key.version);
  return named != nullptr && *named <= 0;
}

// What all parts that count have in common.
struct Newest {
  std::string version;
  absl::Time begin = absl::InfinitePast();  // of its last stretch
};

Newest FindNewest(const Policy& policy, const std::vector<PartAge>& parts) {
  std::map<std::string, absl::Time> first;
  Newest newest;
  for (const PartAge& part : parts) {
    if (IsLeftOut(policy, part)) continue;
    const auto [known, is_new] =
        first.try_emplace(part.key.version, part.first);
    known->second = std::min(known->second, part.first);
    newest.begin = std::max(newest.begin, BeginOf(policy, part.first));
  }
  absl::Time last = absl::InfinitePast();
  for (const auto& [version, time] : first) {
    if (time < last) continue;
    last = time;
    newest.version = version;
  }
  return newest;
}

double WeightOf(const Policy& policy, const PartAge& part,
                const Newest& newest) {
  if (IsLeftOut(policy, part)) return 0;
  double weight = 1;
  if (const double* named = NamedWeight(policy, part.key.version)) {
    weight = *named;
  } else if (part.key.version != newest.version) {
    weight = policy.old_version_weight;
  }
  if (!HasDecay(policy)) return weight;
  const absl::Duration age = newest.begin - BeginOf(policy, part.first);
  return weight * std::exp2(-absl::FDivDuration(age, policy.half_life));
}

}  // namespace

absl::Status CheckPolicy(const Policy& policy) {
  if (policy.half_life < absl::ZeroDuration() ||
      policy.half_life == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        "the half-life must be a time above 0, or 0 for none");
  }
  const auto is_share = [](double weight) {
    return weight >= 0 && weight <= 1;  // false for NaN
  };
  if (!is_share(policy.old_version_weight)) {
    return absl::InvalidArgumentError(
        "the weight of old versions must be between 0 and 1");
  }
  for (const auto& [version, weight] : policy.version_weights) {
    if (!is_share(weight)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the weight of version ", version, " must be between 0 and 1"));
    }
  }
  return absl::OkStatus();
}

PartKey PartKeyOf(const Policy& policy, std::string_view version,
                  absl::Time time) {
  PartKey key;
  key.version = std::string(version);
  if (HasDecay(policy))
    key.stretch = absl::ToUnixSeconds(BeginOf(policy, time));
  return key;
}

std::vector<double> WeightsOf(const Policy& policy,
                              const std::vector<PartAge>& parts) {
  const Newest newest = FindNewest(policy, parts);
  std::vector<double> weights;
  for (const PartAge& part : parts) {
    const double weight = WeightOf(policy, part, newest);
    weights.push_back(weight < kLeastWeight ? 0 : weight);
  }
  return weights;
}

}  // namespace wallprof::pgo
