// Profiles for tests, written as stacks.
#ifndef WALLPROF_TESTS_PROFILE_STACK_PROFILE_H_
#define WALLPROF_TESTS_PROFILE_STACK_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "wallprof/profile.h"

namespace wallprof {

struct TestStack {
  std::vector<std::string> frames;  // root first
  std::vector<int64_t> values;
  std::vector<Label> labels;
};

// A profile of these types whose default is the last and whose period type is
// that too. Each frame is a function and a location without address or mapping.
Profile ProfileOfStacks(const std::vector<ValueType>& types,
                        const std::vector<TestStack>& stacks);

// The same with the types of a wall profile: samples, cpu, wall.
Profile WallProfile(const std::vector<TestStack>& stacks);

// Every field of every entity set, each to another value.
Profile FullProfile();

}  // namespace wallprof

#endif  // WALLPROF_TESTS_PROFILE_STACK_PROFILE_H_
