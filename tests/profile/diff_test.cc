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
  absl::StatusOr<Profile> diff = Diff(Before(), After(), {.normalize = true});
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(EncodeFolded(*diff), "main;gone -6\nmain;new 9\nmain;same -3\n");
}

TEST(DiffTest, NormalizingAnEmptyProfileLeavesItEmpty) {
  absl::StatusOr<Profile> diff =
      Diff(WallProfile({}), After(), {.normalize = true});
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
    absl::Status status = Diff(cpu, After(), {.normalize = normalize}).status();
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

TEST(DiffTest, LabelledBaseStaysApart) {
  absl::StatusOr<Profile> diff = Diff(Before(), After(), {.label_base = true});
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(EncodeFolded(*diff),
            "main;gone 4 0\nmain;new 0 9\nmain;same 6 6\n");
  int labelled = 0;
  for (const Sample& sample : diff->samples) {
    if (sample.labels.empty()) continue;
    ++labelled;
    EXPECT_EQ(sample.labels[0].key, "pprof::base");
    EXPECT_EQ(sample.labels[0].text, "true");
    EXPECT_LT(sample.values[2], 0);
  }
  EXPECT_EQ(labelled, 2);
}

TEST(DiffTest, EmptyBaseIsASideToo) {
  absl::StatusOr<Profile> diff =
      Diff(WallProfile({}), After(), {.label_base = true});
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(CheckValid(*diff), absl::OkStatus());
  EXPECT_EQ(EncodeFolded(*diff), "main;new 0 9\nmain;same 0 6\n");
}

TEST(DiffTest, ViewsOfOneProfileAreCompared) {
  Profile profile =
      WallProfile({{{"spin"}, {1, 4000, 5000}}, {{"wait"}, {1, 0, 3000}}});
  absl::StatusOr<Profile> diff =
      DiffViews(profile, View::kCpu, profile, View::kWall);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(diff->default_sample_type, "wall-cpu");
  EXPECT_EQ(EncodeFolded(*diff), "spin 1\nwait 3\n");
  diff = DiffViews(profile, View::kWall, profile, View::kWall,
                   {.label_base = true});
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(diff->sample_types,
            (std::vector<ValueType>{{"wall", "nanoseconds"}}));
  EXPECT_EQ(EncodeFolded(*diff), "spin 5 5\nwait 3 3\n");
}

TEST(DiffTest, MissingViewIsRefused) {
  Profile cpu = ProfileOfStacks({{"cpu", "nanoseconds"}}, {{{"f"}, {1}}});
  EXPECT_FALSE(DiffViews(cpu, View::kCpu, cpu, View::kWall).ok());
}

}  // namespace
}  // namespace wallprof
