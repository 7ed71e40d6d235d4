#include "fleet/store/profile_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace wallprof::store {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1'800'000'000);

TEST(ProfileIdTest, IsTheSameForTheSameProfile) {
  EXPECT_EQ(MakeProfileId(kTime, "a"), MakeProfileId(kTime, "a"));
  EXPECT_EQ(MakeProfileId(kTime + absl::Milliseconds(999), "a"),
            MakeProfileId(kTime, "a"))
      << "seconds are all that is kept";
  EXPECT_NE(MakeProfileId(kTime, "a"), MakeProfileId(kTime, "b"));
}

TEST(ProfileIdTest, IsMadeOfDigitsThatNeedNoEscape) {
  EXPECT_THAT(MakeProfileId(kTime, "any origin"),
              testing::MatchesRegex("[0-9a-v]{26}"));
}

TEST(ProfileIdTest, IsInTheOrderOfTime) {
  std::string before = MakeProfileId(absl::UnixEpoch(), "z");
  for (int64_t seconds = 1; seconds < int64_t{1} << 39; seconds *= 7) {
    std::string id = MakeProfileId(absl::FromUnixSeconds(seconds), "a");
    EXPECT_LT(before, id) << seconds;
    EXPECT_EQ(TimeOfProfileId(id), absl::FromUnixSeconds(seconds));
    before = id;
  }
}

TEST(ProfileIdTest, TimesOutOfItsRangeAreItsEnds) {
  EXPECT_EQ(TimeOfProfileId(MakeProfileId(absl::InfinitePast(), "a")),
            absl::UnixEpoch());
  EXPECT_EQ(MakeProfileId(absl::InfiniteFuture(), "a").substr(0, 8),
            "vvvvvvvv");
}

TEST(ProfileIdTest, WhatIsNoneHasNoTime) {
  for (const std::string text :
       {"", "0", "0123456789abcdefghijklmno", "0123456789abcdefghijklmnoz",
        "0123456789abcdefghijklmnopq", "0123456789ABCDEFGHIJKLMNOP"}) {
    EXPECT_EQ(TimeOfProfileId(text), absl::InfinitePast()) << text;
  }
}

}  // namespace
}  // namespace wallprof::store
