#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

using testing::HasSubstr;

Profile Before() {
  return WallProfile(
      {{{"main", "gone"}, {1, 0, 4000}}, {{"main", "same"}, {1, 0, 6000}}});
}

Profile After() {
  return WallProfile(
      {{{"main", "same"}, {1, 0, 6000}}, {{"main", "new"}, {2, 0, 9000}}});
}

TEST(DiffTest, BeforeCountsNegativelyAndEqualsVanish) {
  absl::StatusOr<Profile> diff = Diff(Before(), After());
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(EncodeFolded(*diff), "main;gone -4\nmain;new 9\n");
}

TEST(DiffTest, NormalizedBeforeHasAftersTotal) {
  // 10 before and 15 after: `gone` becomes 6, `same` 9.
  absl::StatusOr<Profile> diff = Diff(Before(), After(), true);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(EncodeFolded(*diff), "main;gone -6\nmain;new 9\nmain;same -3\n");
}

TEST(DiffTest, NormalizingAnEmptyProfileLeavesItEmpty) {
  absl::StatusOr<Profile> diff = Diff(WallProfile({}), After(), true);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(EncodeFolded(*diff), "main;new 9\nmain;same 6\n");
}

TEST(DiffTest, HeaderIsThatOfAfter) {
  Profile before = Before();
  before.time = absl::FromUnixSeconds(100);
  before.duration = absl::Seconds(5);
  Profile after = After();
  after.time = absl::FromUnixSeconds(200);
  after.duration = absl::Seconds(7);
  absl::StatusOr<Profile> diff = Diff(before, after);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(diff->time, after.time);
  EXPECT_EQ(diff->duration, after.duration);
}

TEST(DiffTest, SmallestValueIsNegatedWithoutOverflow) {
  int64_t smallest = std::numeric_limits<int64_t>::min();
  absl::StatusOr<Profile> diff =
      Diff(WallProfile({{{"f"}, {1, 0, smallest}}}), WallProfile({}));
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(diff->samples[0].values[2], std::numeric_limits<int64_t>::max());
}

TEST(DiffTest, DifferentTypesAreRefusedWithAndWithoutNormalizing) {
  Profile cpu = ProfileOfStacks({{"cpu", "nanoseconds"}}, {{{"f"}, {1}}});
  for (bool normalize : {false, true}) {
    absl::Status status = Diff(cpu, After(), normalize).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("incompatible"));
  }
}

TEST(DiffTest, InvalidProfileIsRefused) {
  Profile invalid = Before();
  invalid.samples[0].values.pop_back();
  EXPECT_EQ(Diff(invalid, After()).status(), CheckValid(invalid));
  EXPECT_EQ(Diff(After(), invalid).status(), CheckValid(invalid));
}

}  // namespace
}  // namespace wallprof
