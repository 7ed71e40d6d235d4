// Profiles of CPU time for tests.
#ifndef WALLPROF_TESTS_FLEET_PGO_PROFILE_CPU_PROFILES_H_
#define WALLPROF_TESTS_FLEET_PGO_PROFILE_CPU_PROFILES_H_

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/profile/stack_profile.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

// Types samples/count and cpu/nanoseconds, a period of 10 ms.
Profile CpuProfile(const std::vector<TestStack>& stacks);

// Such a profile, made at random of few parts that profiles have in common:
// nothing in it is negative.
Profile RandomCpuProfile(std::mt19937& random);

// What AcceptProfile makes of it, which must be ok.
std::string Accepted(const Profile& profile, std::string_view version = "");

// ProfileText of a profile that can be read; a sentence for any other.
std::string TextOf(std::string_view bytes);

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_PROFILE_CPU_PROFILES_H_
