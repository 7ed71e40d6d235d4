#include "wallprof/pprof_merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

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

// The names in a sample's stack, and what its labels say.
std::string FramesAndLabels(const Profile& profile, const Sample& sample) {
  std::string text;
  for (uint64_t id : sample.location_ids) {
    for (const Line& line : profile.locations[id - 1].lines) {
      text += profile.functions[line.function_id - 1].name + ";";
    }
  }
  for (const Label& label : sample.labels) {
    text += " " + label.key + "=" + label.text + std::to_string(label.number);
  }
  return text;
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
  for (int round = 0; round < 1000; ++round) {
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
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    std::vector<Profile> profiles(4);
    for (Profile& profile : profiles) profile = RandomProfile(random, options);
    ExpectSumIsMerge(profiles, {profiles.size()});
    if (HasFatalFailure()) return;
  }
}

PprofMerger::Options AnyOrder() {
  PprofMerger::Options options;
  options.any_order = true;
  return options;
}

// The sum of `messages` from `begin` to `end`, made in one of three ways: all
// at once, of the sums of two halves, or of these written and read again.
std::string SumInAnyOrder(const std::vector<std::string>& messages,
                          size_t begin, size_t end, std::mt19937& random) {
  PprofMerger sum(AnyOrder());
  const int way = end - begin < 2 ? 0 : static_cast<int>(random() % 3);
  const size_t middle = begin + (end - begin) / 2;
  for (auto [from, to] : {std::pair(begin, middle), std::pair(middle, end)}) {
    if (way == 2) {
      const std::string half = SumInAnyOrder(messages, from, to, random);
      EXPECT_TRUE(sum.Add(half).ok());
      continue;
    }
    PprofMerger half(AnyOrder());
    PprofMerger& to_half = way == 1 ? half : sum;
    for (size_t i = from; i < to; ++i) {
      EXPECT_TRUE(to_half.Add(messages[i]).ok());
    }
    if (way == 1) EXPECT_TRUE(sum.Add(half).ok());
  }
  absl::StatusOr<std::string> message = std::move(sum).FinishMessage();
  return message.ok() ? *message : message.status().ToString();
}

TEST(PprofMergerTest, AnyOrderAndGroupingGivesTheSameBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::string> messages(1 + random() % 7);
    for (std::string& message : messages) {
      Profile profile = RandomProfile(random);
      for (Sample& sample : profile.samples) {
        for (int64_t& value : sample.values) value = std::abs(value);
      }
      message = EncodePprofMessage(profile);
    }
    const std::string first =
        SumInAnyOrder(messages, 0, messages.size(), random);
    for (int i = 0; i < 5; ++i) {
      std::shuffle(messages.begin(), messages.end(), random);
      const std::string other =
          SumInAnyOrder(messages, 0, messages.size(), random);
      ASSERT_EQ(Text(other), Text(first));
      ASSERT_EQ(other, first);
    }
  }
}

TEST(PprofMergerTest, AnyOrderAddsUpWhatTheGivenOrderDoes) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    std::vector<Profile> profiles(1 + random() % 4);
    PprofMerger in_order;
    PprofMerger any_order(AnyOrder());
    for (Profile& profile : profiles) {
      profile = RandomProfile(random);
      ASSERT_TRUE(in_order.Add(EncodePprofMessage(profile)).ok());
      ASSERT_TRUE(any_order.Add(EncodePprofMessage(profile)).ok());
    }
    std::map<std::string, int64_t> expected;
    std::map<std::string, int64_t> sums;
    for (auto& [merger, stacks] :
         {std::pair(&in_order, &expected), std::pair(&any_order, &sums)}) {
      const absl::StatusOr<Profile> sum = std::move(*merger).Finish();
      ASSERT_TRUE(sum.ok()) << sum.status();
      for (const Sample& sample : sum->samples) {
        (*stacks)[FramesAndLabels(*sum, sample)] += sample.values[0];
      }
    }
    EXPECT_EQ(sums, expected);
  }
}

TEST(PprofMergerTest, SumsOfBothKindsDoNotAddUp) {
  PprofMerger in_order;
  PprofMerger any_order(AnyOrder());
  EXPECT_EQ(in_order.Add(any_order).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(any_order.Add(in_order).code(), absl::StatusCode::kInvalidArgument);
}

TEST(PprofMergerTest, LeavesOutComments) {
  PprofMerger::Options options;
  options.drop_comments = true;
  PprofMerger merger(options);
  ASSERT_TRUE(merger.Add(EncodePprofMessage(FullProfile())).ok());
  Profile expected = FullProfile();
  ASSERT_FALSE(expected.comments.empty());
  expected.comments.clear();
  EXPECT_EQ(Text(*std::move(merger).FinishMessage()),
            ProfileText(*Merge(std::vector{expected})));
}

TEST(PprofMergerTest, FinishesAsAProfileToo) {
  std::vector<Profile> profiles(2, FullProfile());
  PprofMerger merger;
  PprofMerger same;
  for (const Profile& profile : profiles) {
    ASSERT_TRUE(merger.Add(EncodePprofMessage(profile)).ok());
    ASSERT_TRUE(same.Add(EncodePprofMessage(profile)).ok());
  }
  const Profile merged = *Merge(profiles);
  absl::StatusOr<Profile> sum = std::move(merger).Finish();
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_EQ(ProfileText(*sum), ProfileText(merged));
  absl::StatusOr<std::string> encoded = std::move(same).FinishEncoded();
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(*encoded, EncodePprof(merged));
}

TEST(PprofMergerTest, DurationsAddUpBeyondWhatAMessageHolds) {
  Profile profile = FullProfile();
  profile.duration = absl::Nanoseconds(kLargest);
  PprofMerger merger;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(merger.Add(EncodePprofMessage(profile)).ok());
  }
  EXPECT_EQ(std::move(merger).Finish()->duration, 3 * profile.duration);
}

TEST(PprofMergerTest, WhatIsRefusedIsNoPartOfTheSum) {
  const std::vector<Profile> full = {FullProfile()};
  const std::string good = EncodePprofMessage(*Merge(full));
  Profile other = FullProfile();
  other.sample_types.pop_back();
  for (Sample& sample : other.samples) sample.values.pop_back();
  PprofMerger merger;
  ASSERT_TRUE(merger.Add(good).ok());
  const size_t memory = merger.memory_bytes();
  EXPECT_EQ(merger.Add(good + good).message(),
            "parsing profile: concatenated profiles detected");
  EXPECT_EQ(merger.Add(EncodePprofMessage(other)).message(),
            "incompatible sample types [samples/count cpu/nanoseconds "
            "wall/nanoseconds] and [samples/count cpu/nanoseconds]");
  PprofMerger others;
  ASSERT_TRUE(others.Add(EncodePprofMessage(other)).ok());
  EXPECT_EQ(merger.Add(others).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(merger.count(), 1u);
  EXPECT_EQ(merger.memory_bytes(), memory);
  EXPECT_EQ(*std::move(merger).FinishMessage(), good);
}

TEST(PprofMergerTest, MemoryGrowsWithTheSumAlone) {
  std::mt19937 random(3);
  RandomProfileOptions options;
  options.samples = 500;
  const std::string message =
      EncodePprofMessage(RandomProfile(random, options));
  PprofMerger merger;
  ASSERT_TRUE(merger.Add(message).ok());
  ASSERT_TRUE(merger.Add(message).ok());
  // Room for another such message is all that there may be besides.
  const size_t memory = merger.memory_bytes();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(merger.Add(message).ok());
  EXPECT_EQ(merger.memory_bytes(), memory);
}

TEST(PprofMergerTest, StopsAtItsMemoryWithTheSumAsItWas) {
  PprofMerger::Options options;
  options.max_memory_bytes = 64 << 10;
  PprofMerger merger(options);
  PprofMerger roomy;
  absl::Status s;
  int added = 0;
  for (; added < 100'000; ++added) {
    const std::string message = EncodePprofMessage(WallProfile(
        {{{"main", "function" + std::to_string(added)}, {1, 2, 3}, {}}}));
    s = merger.Add(message);
    ASSERT_LE(merger.memory_bytes(), options.max_memory_bytes);
    if (!s.ok()) break;
    ASSERT_TRUE(roomy.Add(message).ok());
  }
  EXPECT_GT(added, 10);
  EXPECT_EQ(s.code(), absl::StatusCode::kResourceExhausted) << s;
  EXPECT_EQ(merger.Add(roomy).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(merger.count(), roomy.count());
  EXPECT_EQ(*std::move(merger).FinishMessage(),
            *std::move(roomy).FinishMessage());
}

TEST(PprofMergerTest, NothingIsNoSum) {
  EXPECT_EQ(PprofMerger().Finish().status().message(), "no profiles to merge");
  EXPECT_EQ(PprofMerger().FinishEncoded().status().message(),
            "no profiles to merge");
}

TEST(CheckPprofTest, SaysWhatAProfileIs) {
  const Profile profile = FullProfile();
  absl::StatusOr<PprofFacts> facts = CheckPprof(EncodePprofMessage(profile));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->sample_types, profile.sample_types);
  EXPECT_EQ(facts->default_sample_type, "wall");
  EXPECT_EQ(facts->period_type, profile.period_type);
  EXPECT_EQ(facts->period, profile.period);
  EXPECT_EQ(facts->time, profile.time);
  EXPECT_EQ(facts->duration, profile.duration);
  EXPECT_EQ(facts->samples, 2u);
  EXPECT_EQ(facts->max_depth, 2u);
  EXPECT_EQ(facts->max_labels_per_sample, 2u);
  EXPECT_EQ(facts->mappings, 2u);
  EXPECT_EQ(facts->locations, 3u);
  EXPECT_EQ(facts->functions, 3u);
  EXPECT_EQ(facts->strings, 29u);
  EXPECT_EQ(facts->string_bytes, 224u);
}

TEST(CheckPprofTest, RefusesWhatTheDecoderRefusesInItsWords) {
  const std::string message = EncodePprofMessage(FullProfile());
  std::mt19937 random(4);
  int refused = 0;
  for (size_t i = 0; i < message.size(); ++i) {
    std::string damaged = message;
    damaged[i] = static_cast<char>(random());
    for (const std::string& bytes : {message.substr(0, i), damaged}) {
      absl::Status expected = DecodePprof(bytes).status();
      refused += expected.ok() ? 0 : 1;
      EXPECT_EQ(CheckPprof(bytes).status(), expected) << i;
      EXPECT_EQ(PprofMerger().Add(bytes), expected) << i;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(CheckPprofTest, RefusesWhatWouldTakeTooMuchMemory) {
  const std::string message = EncodePprofMessage(FullProfile());
  size_t most = 0;
  while (!CheckPprof(message, most).ok()) ++most;
  EXPECT_GT(most, message.size());
  for (size_t bytes : {most - 1, most}) {
    EXPECT_EQ(CheckPprof(message, bytes).status(),
              DecodePprofMessage(message, bytes).status());
  }
}

TEST(UnpackPprofTest, UnpacksWhatIsPackedUpToALimit) {
  const std::string message = EncodePprofMessage(FullProfile());
  EXPECT_EQ(*UnpackPprof(PackPprof(message), message.size()), message);
  EXPECT_EQ(*UnpackPprof(message, message.size()), message);
  const std::string sentence =
      "decompressing profile: more than 10 bytes when unpacked";
  EXPECT_EQ(UnpackPprof(PackPprof(message), 10).status().message(), sentence);
  EXPECT_EQ(UnpackPprof(message, 10).status().message(),
            "decompressing profile: more than 10 bytes");
  EXPECT_EQ(
      UnpackPprof(PackPprof(message).substr(0, 30), 1000).status().message(),
      "decompressing profile: unexpected EOF");
}

}  // namespace
}  // namespace wallprof
