#include "fleet/pgo/profile/part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::pgo {
namespace {

const absl::Time kUploaded = absl::FromUnixSeconds(1'700'000'000);

std::string Finished(PartSum sum) {
  absl::StatusOr<std::string> part = std::move(sum).Finish();
  EXPECT_TRUE(part.ok()) << part.status();
  return part.ok() ? *part : std::string();
}

std::string StagedMessageOf(const std::string& bytes) {
  absl::StatusOr<StagedProfile> profile = ReadStaged(bytes, kUploaded);
  EXPECT_TRUE(profile.ok()) << profile.status();
  return profile.ok() ? profile->message : std::string();
}

// The part of the staged profiles from `begin` to `end`, made of smaller parts
// now and then, some of them written and read again.
std::string PartOf(const std::vector<std::string>& staged, size_t begin,
                   size_t end, std::mt19937& random) {
  PartSum sum;
  if (end - begin > 1 && random() % 2 == 0) {
    const size_t middle = begin + 1 + random() % (end - begin - 1);
    EXPECT_TRUE(sum.AddPart(PartOf(staged, begin, middle, random)).ok());
    begin = middle;
  }
  if (end - begin > 1 && random() % 3 == 0) {
    PartSum other;
    EXPECT_TRUE(other.AddPart(PartOf(staged, begin, end, random)).ok());
    EXPECT_TRUE(sum.Add(other).ok());
    begin = end;
  }
  for (size_t i = begin; i < end; ++i) {
    EXPECT_TRUE(sum.Add(StagedMessageOf(staged[i])).ok());
  }
  return Finished(std::move(sum));
}

TEST(PartSumTest, EqualProfilesGiveEqualBytesInWhateverOrderAndGroups) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::string> staged(1 + random() % 7);
    for (std::string& bytes : staged) {
      bytes = Accepted(RandomCpuProfile(random), "v1");
    }
    const std::string first = PartOf(staged, 0, staged.size(), random);
    for (int i = 0; i < 5; ++i) {
      std::shuffle(staged.begin(), staged.end(), random);
      const std::string other = PartOf(staged, 0, staged.size(), random);
      ASSERT_EQ(TextOf(other), TextOf(first));
      ASSERT_EQ(other, first);
    }
  }
}

TEST(PartSumTest, AddsUpAndForgetsVersions) {
  PartSum sum;
  for (int64_t i = 1; i <= 3; ++i) {
    Profile profile = CpuProfile({{{"main", "work"}, {i, i * 10}}});
    profile.time = absl::FromUnixSeconds(1000 - i);
    profile.duration = absl::Seconds(10);
    ASSERT_TRUE(sum.Add(StagedMessageOf(Accepted(profile, "v1"))).ok());
  }
  const Profile part = *DecodePprof(Finished(std::move(sum)));
  ASSERT_EQ(part.samples.size(), 1);
  EXPECT_THAT(part.samples[0].values, testing::ElementsAre(6, 60));
  EXPECT_TRUE(part.comments.empty());
  EXPECT_EQ(part.time, absl::FromUnixSeconds(997));
  EXPECT_EQ(part.duration, absl::Seconds(30));
}

TEST(PartSumTest, WhatIsRefusedIsNotPartOfTheSum) {
  PartSum sum;
  const std::string staged = Accepted(CpuProfile({{{"main"}, {1, 10}}}));
  ASSERT_TRUE(sum.Add(StagedMessageOf(staged)).ok());
  EXPECT_FALSE(sum.Add("no message").ok());
  EXPECT_FALSE(sum.AddPart("no part").ok());
  PartSum same;
  ASSERT_TRUE(same.Add(StagedMessageOf(staged)).ok());
  EXPECT_EQ(Finished(std::move(sum)), Finished(std::move(same)));
  EXPECT_EQ(PartSum().Finish().status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ReadStagedTest, GivesWhatAcceptProfileWroteAsItIs) {
  Profile profile = CpuProfile({{{"main"}, {1, 10}}});
  profile.time = kUploaded - absl::Hours(1);
  const std::string staged = Accepted(profile, "v3");
  const auto read = ReadStaged(staged, kUploaded);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->message, *UnpackPprof(staged, 1 << 20));
  EXPECT_EQ(read->version, "v3");
  EXPECT_EQ(read->time, profile.time);
}

TEST(ReadStagedTest, TimesThatCannotBeAreThoseOfTheUpload) {
  Profile profile = CpuProfile({{{"main"}, {1, 10}}});
  for (absl::Time time : {absl::UnixEpoch(), absl::FromUnixSeconds(-5),
                          kUploaded + absl::Hours(24 * 365)}) {
    profile.time = time;
    EXPECT_EQ(ReadStaged(Accepted(profile), kUploaded)->time, kUploaded);
    EXPECT_EQ(ReadStaged(EncodePprof(profile), kUploaded)->time, kUploaded);
  }
}

TEST(ReadStagedTest, BringsOthersProfilesIntoTheStagedForm) {
  std::mt19937 random(3);
  for (int round = 0; round < 100; ++round) {
    const Profile profile = RandomCpuProfile(random);
    const auto foreign = ReadStaged(EncodePprof(profile), kUploaded);
    ASSERT_TRUE(foreign.ok()) << foreign.status();
    const auto own = ReadStaged(Accepted(profile), kUploaded);
    EXPECT_EQ(foreign->message, own->message);
    EXPECT_EQ(foreign->version, own->version);
  }
}

TEST(ReadStagedTest, RefusesWhatAcceptProfileDoes) {
  EXPECT_EQ(ReadStaged("", kUploaded).status().message(),
            "there is no profile: nothing was sent");
  EXPECT_EQ(ReadStaged(EncodePprof(CpuProfile({})), kUploaded).status(),
            absl::InvalidArgumentError("the profile has no samples"));
  AcceptLimits limits;
  limits.depth = 1;
  const std::string staged = Accepted(CpuProfile({{{"a", "b"}, {1, 1}}}));
  EXPECT_EQ(ReadStaged(staged, kUploaded, limits).status(),
            absl::ResourceExhaustedError(
                "the profile has 2 frames in a stack; at most 1 are taken"));
}

}  // namespace
}  // namespace wallprof::pgo
