#include "tests/fleet/pgo/profile/cpu_profiles.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fleet/pgo/profile/accept.h"
#include "tests/encode/random_profile.h"
#include "tests/profile/profile_text.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {

Profile CpuProfile(const std::vector<TestStack>& stacks) {
  Profile profile =
      ProfileOfStacks({{"samples", "count"}, {"cpu", "nanoseconds"}}, stacks);
  profile.period = 10'000'000;
  return profile;
}

Profile RandomCpuProfile(std::mt19937& random) {
  Profile profile;
  while (profile.samples.empty()) profile = RandomProfile(random);
  profile.sample_types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
  for (Sample& sample : profile.samples) {
    sample.values[0] = 1 + static_cast<int64_t>(random() % 100);
    sample.values[1] = sample.values[0] * 10'000'000 - random() % 1000;
  }
  return profile;
}

std::string Accepted(const Profile& profile, std::string_view version) {
  absl::StatusOr<AcceptedProfile> accepted =
      AcceptProfile(EncodePprof(profile), version);
  EXPECT_TRUE(accepted.ok()) << accepted.status();
  return accepted.ok() ? accepted->bytes : std::string();
}

std::string TextOf(std::string_view bytes) {
  absl::StatusOr<Profile> profile = DecodePprof(bytes);
  return profile.ok() ? ProfileText(*profile) : profile.status().ToString();
}

}  // namespace wallprof::pgo
