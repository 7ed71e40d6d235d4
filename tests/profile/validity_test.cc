#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/profile/stack_profile.h"
#include "wallprof/profile.h"

namespace wallprof {
namespace {

TEST(ValidityTest, FullAndEmptyProfilesAreValid) {
  EXPECT_EQ(CheckValid(FullProfile()), absl::OkStatus());
  EXPECT_EQ(CheckValid(Profile()), absl::OkStatus());
}

TEST(ValidityTest, WhatPprofDoesNotCheckIsValid) {
  Profile profile = FullProfile();
  profile.samples[0].location_ids.clear();
  profile.samples[1].values[0] = -1;
  profile.locations[0].address = 1;  // outside its mapping
  profile.period = -1;
  EXPECT_EQ(CheckValid(profile), absl::OkStatus());
}

struct Offence {
  const char* name;
  std::function<void(Profile&)> commit;
  std::string words;
};

class ValidityOffenceTest : public testing::TestWithParam<Offence> {};

TEST_P(ValidityOffenceTest, IsNamedInPprofsWords) {
  Profile profile = FullProfile();
  GetParam().commit(profile);
  EXPECT_EQ(CheckValid(profile), absl::InvalidArgumentError(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Offences, ValidityOffenceTest,
    testing::Values(
        Offence{"NoTypes", [](Profile& p) { p.sample_types.clear(); },
                "missing sample type information"},
        Offence{"TooFewValues",
                [](Profile& p) { p.samples[1].values.pop_back(); },
                "mismatch: sample has 2 values vs. 3 types"},
        Offence{"DanglingLocation",
                [](Profile& p) { p.samples[0].location_ids[0] = 77; },
                "sample has nil location"},
        Offence{"LocationZero",
                [](Profile& p) { p.samples[0].location_ids[0] = 0; },
                "sample has nil location"},
        Offence{"MappingZero", [](Profile& p) { p.mappings[1].id = 0; },
                "found mapping with reserved ID=0"},
        Offence{"TwoMappings", [](Profile& p) { p.mappings[1].id = 1; },
                "multiple mappings with same id: 1"},
        Offence{"FunctionZero", [](Profile& p) { p.functions[1].id = 0; },
                "found function with reserved ID=0"},
        Offence{"TwoFunctions", [](Profile& p) { p.functions[1].id = 1; },
                "multiple functions with same id: 1"},
        Offence{"LocationIdZero",
                [](Profile& p) {
                  p.samples.clear();
                  p.locations[2].id = 0;
                },
                "found location with reserved id=0"},
        Offence{"TwoLocations",
                [](Profile& p) {
                  p.samples.clear();
                  p.locations[2].id = 2;
                },
                "multiple locations with same id: 2"},
        Offence{"DanglingMapping",
                [](Profile& p) { p.locations[1].mapping_id = 9; },
                "inconsistent mapping: 9"},
        Offence{"DanglingFunction",
                [](Profile& p) { p.locations[0].lines[1].function_id = 9; },
                "location id: 1 has a line with nil function"},
        Offence{"FunctionIdZero",
                [](Profile& p) { p.locations[1].lines[0].function_id = 0; },
                "location id: 2 has a line with nil function"}),
    [](const testing::TestParamInfo<Offence>& info) {
      return info.param.name;
    });

}  // namespace
}  // namespace wallprof
