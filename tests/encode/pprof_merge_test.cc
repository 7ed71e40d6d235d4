#include "wallprof/pprof_merge.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_message.h"
#include "tests/encode/random_profile.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

// As it is once it has been written and read.
Profile Decoded(const Profile& profile) {
  absl::StatusOr<Profile> decoded = DecodePprof(EncodePprofMessage(profile));
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? *decoded : Profile();
}

// The sum's message, by a merger for every `group` profiles, or a sentence.
std::string SumOf(const std::vector<Profile>& profiles, size_t group) {
  PprofMerger all;
  for (size_t begin = 0; begin < profiles.size(); begin += group) {
    PprofMerger some;
    size_t end = std::min(begin + group, profiles.size());
    for (size_t i = begin; i < end; ++i) {
      absl::Status s = some.Add(EncodePprofMessage(profiles[i]));
      if (!s.ok()) return s.ToString();
    }
    absl::Status s = all.Add(some);
    if (!s.ok()) return s.ToString();
  }
  absl::StatusOr<std::string> message = std::move(all).FinishMessage();
  return message.ok() ? *message : message.status().ToString();
}

std::string Text(const std::string& message) {
  absl::StatusOr<Profile> profile = DecodePprof(message);
  return profile.ok() ? ProfileText(*profile) : profile.status().ToString();
}

// That all ways to add up give the bytes that Merge's result is written as.
void ExpectSumIsMerge(const std::vector<Profile>& profiles,
                      const std::vector<size_t>& groups) {
  std::vector<Profile> decoded;
  for (const Profile& profile : profiles) decoded.push_back(Decoded(profile));
  absl::StatusOr<Profile> merged = Merge(decoded);
  ASSERT_TRUE(merged.ok()) << merged.status();
  const std::string expected = EncodePprofMessage(*merged);
  for (size_t group : groups) {
    const std::string sum = SumOf(profiles, group);
    if (sum == expected) continue;
    ASSERT_EQ(Text(sum), Text(expected)) << "in groups of " << group;
    FAIL() << "the bytes differ though the profiles do not";
  }
}

TEST(PprofMergerTest, SumsAsMergeDoes) {
  std::vector<Profile> profiles = {
      FullProfile(), WallProfile({{{"main", "work"}, {1, 2, 3}, {}}}),
      FullProfile()};
  ExpectSumIsMerge(profiles, {1, 2, 3});
}

TEST(PprofMergerTest, SumsWhateverProfilesAsMergeDoes) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    RandomProfileOptions options;
    options.types = 1 + random() % 3;
    std::vector<Profile> profiles;
    for (size_t i = 1 + random() % 5; i > 0; --i) {
      profiles.push_back(RandomProfile(random, options));
    }
    ExpectSumIsMerge(profiles, {1, 2, profiles.size()});
    if (HasFatalFailure()) return;
  }
}

TEST(PprofMergerTest, SumsThatLeaveTheRangeStopAtItsEnds) {
  std::mt19937 random(2);
  RandomProfileOptions options;
  options.largest_value = kLargest;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    std::vector<Profile> profiles(4);
    for (Profile& profile : profiles) profile = RandomProfile(random, options);
    ExpectSumIsMerge(profiles, {profiles.size()});
    if (HasFatalFailure()) return;
  }
}

TEST(PprofMergerTest, NothingIsNoSum) {
  EXPECT_EQ(PprofMerger().Finish().status().message(), "no profiles to merge");
  EXPECT_EQ(PprofMerger().FinishEncoded().status().message(),
            "no profiles to merge");
}

}  // namespace
}  // namespace wallprof
