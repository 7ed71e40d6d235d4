#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "tests/profile/stack_profile.h"
#include "wallprof/filter.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

TEST(WithLabelFramesTest, LabelsAreTheInnermostFrame) {
  const Profile profile = WallProfile(
      {{{"main", "recv"},
        {1, 0, 5000},
        {{"wait_kind", "socket"}, {"wait_object", "tcp 10.0.0.1:80"}}},
       {{"main", "recv"},
        {1, 0, 7000},
        {{"wait_kind", "socket"}, {"wait_object", "tcp 10.0.0.1:80"}}},
       {{"main", "usleep"}, {1, 0, 2000}, {{"wait_kind", "sleep"}}},
       {{"main", "spin"}, {1, 1000, 1000}, {{"state", "running"}}}});
  const Profile shown = WithLabelFrames(profile, kWaitLabels);
  ASSERT_EQ(CheckValid(shown), absl::OkStatus());
  EXPECT_EQ(EncodeFolded(shown),
            "main;recv;[socket tcp 10.0.0.1:80] 12\n"
            "main;spin 1\n"
            "main;usleep;[sleep] 2\n");
  EXPECT_EQ(shown.functions.size(), profile.functions.size() + 2)
      << "equal frames are one";
}

TEST(WithLabelFramesTest, IdsNeedNotBeDense) {
  Profile profile = WallProfile({{{"main"}, {1, 0, 1000}, {{"a", "x"}}}});
  profile.functions[0].id = 70;
  profile.locations[0].id = 90;
  profile.locations[0].lines[0].function_id = 70;
  profile.samples[0].location_ids = {90};
  constexpr std::string_view kKeys[] = {"a"};
  const Profile shown = WithLabelFrames(profile, kKeys);
  ASSERT_EQ(CheckValid(shown), absl::OkStatus());
  EXPECT_EQ(EncodeFolded(shown), "main;[x] 1\n");
}

TEST(WithLabelFramesTest, NumbersAreNoNames) {
  const Profile profile =
      WallProfile({{{"main"}, {1, 0, 1000}, {{"tid", "", 71}}}});
  constexpr std::string_view kKeys[] = {"tid"};
  EXPECT_EQ(EncodeFolded(WithLabelFrames(profile, kKeys)), "main 1\n");
}

}  // namespace
}  // namespace wallprof
