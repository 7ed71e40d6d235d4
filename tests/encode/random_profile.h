// Profiles for tests of the merge, made at random of few parts, so that what is
// the same in two of them, and what nearly is, comes often.
#ifndef WALLPROF_TESTS_ENCODE_RANDOM_PROFILE_H_
#define WALLPROF_TESTS_ENCODE_RANDOM_PROFILE_H_

#include <random>

#include "wallprof/profile.h"

namespace wallprof {

struct RandomProfileOptions {
  size_t types = 2;
  int samples = 12;
  // Of a sample. Where sums leave the range of int64 they depend on the order.
  int64_t largest_value = 2;
};

// Valid, and of the same types each time.
Profile RandomProfile(std::mt19937& random,
                      const RandomProfileOptions& options = {});

}  // namespace wallprof

#endif  // WALLPROF_TESTS_ENCODE_RANDOM_PROFILE_H_
