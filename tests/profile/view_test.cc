#include "profiler/profile/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Profile Mixed() {
  Profile profile = WallProfile({{{"main", "wait"}, {60, 0, 600}},
                                 {{"main", "spin"}, {30, 300, 290}},
                                 {{"main", "both"}, {10, 40, 100}}});
  profile.period = 10101010;
  return profile;
}

TEST(ViewTest, WallIsTheProfileUnchanged) {
  absl::StatusOr<Profile> seen = SelectView(Mixed(), View::kWall);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(ProfileText(*seen), ProfileText(Mixed()));
}

TEST(ViewTest, CpuHasOnlySamplesWithCpuTime) {
  absl::StatusOr<Profile> seen = SelectView(Mixed(), View::kCpu);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(CheckValid(*seen), absl::OkStatus());
  EXPECT_THAT(seen->sample_types, ElementsAre(ValueType{"samples", "count"},
                                              ValueType{"cpu", "nanoseconds"}));
  EXPECT_EQ(seen->default_sample_type, "cpu");
  EXPECT_EQ(seen->period_type, (ValueType{"cpu", "nanoseconds"}));
  EXPECT_EQ(seen->period, 10101010);
  ASSERT_EQ(seen->samples.size(), 2);
  EXPECT_THAT(seen->samples[0].values, ElementsAre(30, 300));
  EXPECT_THAT(seen->samples[1].values, ElementsAre(10, 40));
}

TEST(ViewTest, WhatOnlyDroppedSamplesNamedIsDropped) {
  absl::StatusOr<Profile> seen = SelectView(Mixed(), View::kCpu);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_THAT(ProfileText(*seen), testing::Not(HasSubstr("wait")));
}

TEST(ViewTest, OffCpuIsWallMinusCpuAndNeverNegative) {
  absl::StatusOr<Profile> seen = SelectView(Mixed(), View::kOffCpu);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_THAT(seen->sample_types,
              ElementsAre(ValueType{"samples", "count"},
                          ValueType{"offcpu", "nanoseconds"}));
  EXPECT_EQ(seen->default_sample_type, "offcpu");
  EXPECT_EQ(seen->period_type, (ValueType{"offcpu", "nanoseconds"}));
  ASSERT_EQ(seen->samples.size(), 2);
  EXPECT_THAT(seen->samples[0].values, ElementsAre(60, 600));
  EXPECT_THAT(seen->samples[1].values, ElementsAre(10, 60));
}

TEST(ViewTest, CpuProfileCanOnlyBeSeenAsCpu) {
  Profile cpu = *SelectView(Mixed(), View::kCpu);
  absl::StatusOr<Profile> again = SelectView(cpu, View::kCpu);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ProfileText(*again), ProfileText(cpu));
  for (View view : {View::kWall, View::kOffCpu}) {
    absl::Status status = SelectView(cpu, view).status();
    EXPECT_EQ(status, absl::InvalidArgumentError(
                          "the profile has no sample type wall, only "
                          "[samples/count cpu/nanoseconds]"));
  }
}

TEST(ViewTest, ForeignProfileMayLackSamplesAndHaveOtherTypes) {
  Profile foreign = ProfileOfStacks(
      {{"alloc_space", "bytes"}, {"cpu", "nanoseconds"}, {"space", "bytes"}},
      {{{"f"}, {1, 20, 3}}, {{"g"}, {4, 0, 6}}});
  foreign.period = 524288;
  absl::StatusOr<Profile> seen = SelectView(foreign, View::kCpu);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_THAT(seen->sample_types, ElementsAre(ValueType{"cpu", "nanoseconds"}));
  ASSERT_EQ(seen->samples.size(), 1);
  EXPECT_THAT(seen->samples[0].values, ElementsAre(20));
  EXPECT_EQ(seen->period, 0);  // of bytes
}

TEST(ViewTest, ForeignProfileWithoutCpuIsRefused) {
  Profile heap = ProfileOfStacks({{"space", "bytes"}}, {{{"f"}, {1}}});
  EXPECT_EQ(SelectView(heap, View::kCpu).status(),
            absl::InvalidArgumentError(
                "the profile has no sample type cpu, only [space/bytes]"));
}

TEST(ViewTest, OffCpuOfDifferentUnitsIsRefused) {
  Profile odd = ProfileOfStacks(
      {{"cpu", "milliseconds"}, {"wall", "nanoseconds"}}, {{{"f"}, {1, 2}}});
  EXPECT_EQ(SelectView(odd, View::kOffCpu).status(),
            absl::InvalidArgumentError("wall and cpu differ in unit: "
                                       "wall/nanoseconds and "
                                       "cpu/milliseconds"));
}

TEST(ViewTest, InvalidProfileIsRefused) {
  Profile invalid = Mixed();
  invalid.samples[0].values.pop_back();
  EXPECT_EQ(SelectView(invalid, View::kCpu).status(), CheckValid(invalid));
}

TEST(ViewTest, NamesAreThoseOfTheTypes) {
  for (View view : {View::kWall, View::kCpu, View::kOffCpu, View::kBlockedBy}) {
    EXPECT_EQ(ViewOfName(NameOfView(view)), view);
  }
  EXPECT_EQ(ViewOfName("blocked"), std::nullopt);
  EXPECT_EQ(ViewOfName(""), std::nullopt);
}

TEST(ViewTest, ProfileThatLacksTheViewIsShownByItsDefault) {
  Profile heap = ProfileOfStacks({{"space", "bytes"}, {"objects", "count"}},
                                 {{{"f"}, {10, 2}}});
  heap.default_sample_type = "space";
  EXPECT_EQ(ColumnOrDefault(heap, View::kWall).Of(heap.samples[0]), 10);
  EXPECT_EQ(ColumnOrDefault(Profile(), View::kWall).Of(Sample()), 0);
}

}  // namespace
}  // namespace wallprof
