#include "profiler/profile/sample_types.h"

#include <gtest/gtest.h>

#include "tests/profile/stack_profile.h"

namespace wallprof {
namespace {

TEST(SampleTypesTest, IndexIsByTypeNotUnit) {
  Profile profile = WallProfile({});
  EXPECT_EQ(SampleTypeIndex(profile, "samples"), 0);
  EXPECT_EQ(SampleTypeIndex(profile, "wall"), 2);
  EXPECT_EQ(SampleTypeIndex(profile, "nanoseconds"), -1);
  EXPECT_EQ(SampleTypeIndex(profile, ""), -1);
}

TEST(SampleTypesTest, DefaultIsWhatTheProfileSaysElseTheLast) {
  Profile profile = WallProfile({});
  profile.default_sample_type = "cpu";
  EXPECT_EQ(DefaultSampleTypeIndex(profile), 1);
  profile.default_sample_type = "";
  EXPECT_EQ(DefaultSampleTypeIndex(profile), 2);
  profile.default_sample_type = "no such type";
  EXPECT_EQ(DefaultSampleTypeIndex(profile), 2);
  EXPECT_EQ(DefaultSampleTypeIndex(Profile()), -1);
}

TEST(SampleTypesTest, TextShowsTypeAndUnit) {
  EXPECT_EQ(ToString(ValueType{"wall", "nanoseconds"}), "wall/nanoseconds");
  EXPECT_EQ(ToString(WallProfile({}).sample_types),
            "[samples/count cpu/nanoseconds wall/nanoseconds]");
}

}  // namespace
}  // namespace wallprof
