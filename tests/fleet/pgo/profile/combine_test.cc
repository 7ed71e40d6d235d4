#include "fleet/pgo/profile/combine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/profile/part.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using testing::ElementsAre;

std::string PartOf(const std::vector<Profile>& profiles) {
  PartSum sum;
  for (const Profile& profile : profiles) {
    const auto staged = ReadStaged(Accepted(profile), absl::Now());
    EXPECT_TRUE(staged.ok() && sum.Add(staged->message).ok());
  }
  absl::StatusOr<std::string> part = std::move(sum).Finish();
  EXPECT_TRUE(part.ok()) << part.status();
  return part.ok() ? *part : std::string();
}

CombinedBase Combined(const std::vector<WeightedPart>& parts,
                      const PruneRules& rules = {}) {
  absl::StatusOr<CombinedBase> base = CombineParts(parts, "shop", rules);
  EXPECT_TRUE(base.ok()) << base.status();
  return base.ok() ? *base : CombinedBase();
}

TEST(CombinePartsTest, OnePartIsTheBaseAsItIs) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    const std::string part =
        PartOf({RandomCpuProfile(random), RandomCpuProfile(random)});
    EXPECT_EQ(Combined({{part, 1}}).bytes, part);
  }
}

TEST(CombinePartsTest, PartsOfOneWeightAddUpAsProfilesDo) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    const Profile a = RandomCpuProfile(random);
    const Profile b = RandomCpuProfile(random);
    const std::string part_a = PartOf({a});
    const std::string part_b = PartOf({b});
    const std::string both = PartOf({a, b});
    EXPECT_EQ(Combined({{part_a, 1}, {part_b, 1}}).bytes, both);
    EXPECT_EQ(Combined({{part_b, 1}, {part_a, 1}}).bytes, both);
  }
}

TEST(CombinePartsTest, TheOrderOfPartsDoesNotMatter) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> bytes(4);
    std::vector<WeightedPart> parts;
    for (std::string& part : bytes) {
      part = PartOf({RandomCpuProfile(random)});
      parts.push_back({part, 1.0 / (1 + random() % 1000)});
    }
    const std::string base = Combined(parts).bytes;
    for (int i = 0; i < 4; ++i) {
      std::shuffle(parts.begin(), parts.end(), random);
      EXPECT_EQ(Combined(parts).bytes, base);
    }
  }
}

TEST(CombinePartsTest, OfAHundredRareSamplesThirtyStay) {
  std::vector<TestStack> stacks;
  for (int i = 0; i < 100; ++i) {
    stacks.push_back({{"main", absl::StrCat("rare", i)}, {1, 10'000'001}});
  }
  const std::string part = PartOf({CpuProfile(stacks)});
  const CombinedBase base = Combined({{part, 0.3}});
  const Profile profile = *DecodePprof(base.bytes);
  int64_t samples = 0;
  int64_t cpu = 0;
  for (const Sample& sample : profile.samples) {
    EXPECT_LE(sample.values[0], 1);
    EXPECT_NEAR(sample.values[1], 3'000'000, 1);
    samples += sample.values[0];
    cpu += sample.values[1];
  }
  EXPECT_EQ(samples, 30);
  EXPECT_EQ(cpu, 300'000'030);
  EXPECT_EQ(base.quality.samples, samples);
  EXPECT_EQ(base.quality.cpu_ns, cpu);
}

TEST(CombinePartsTest, ColumnsStayRightToOne) {
  std::mt19937 random(4);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::string> bytes(1 + random() % 4);
    std::vector<WeightedPart> parts;
    long double expected[2] = {};
    for (std::string& part : bytes) {
      const Profile profile = RandomCpuProfile(random);
      part = PartOf({profile});
      const double weight = std::ldexp(1 + random() % 4096, -12);
      parts.push_back({part, weight});
      for (const Sample& sample : profile.samples) {
        expected[0] += sample.values[0] * static_cast<long double>(weight);
        expected[1] += sample.values[1] * static_cast<long double>(weight);
      }
    }
    const Quality quality = Combined(parts).quality;
    EXPECT_NEAR(quality.samples, expected[0], 1);
    EXPECT_NEAR(quality.cpu_ns, expected[1], 1);
  }
}

TEST(CombinePartsTest, ProductsBeyond64BitsAreExact) {
  const int64_t most = int64_t{1} << 53;
  const Profile profile = CpuProfile({{{"main"}, {most, most}}});
  const std::string part = PartOf(std::vector<Profile>(200, profile));
  std::vector<WeightedPart> parts(5, {part, 1});
  EXPECT_EQ(Combined(parts).quality.cpu_ns, most * 1000);
  parts.assign(4, {part, 0.25});
  EXPECT_EQ(Combined(parts).quality.cpu_ns, most * 200);
}

TEST(CombinePartsTest, SaysWhatTheBaseIsGoodFor) {
  Profile profile = CpuProfile({{{"main", "lib"}, {1, 10}},
                                {{"main", "mine"}, {2, 20}},
                                {{"main", ""}, {7, 70}}});
  for (Function& function : profile.functions) {
    function.start_line = function.name == "lib" ? 5 : 0;
  }
  for (Location& location : profile.locations) location.lines[0].line = 7;
  const std::string part = PartOf({profile});
  const auto rules = PruneRules::Parse(
      R"([{"app": "shop", "rules": [{"drop": "mine"}]}])", "rules.json");
  ASSERT_TRUE(rules.ok()) << rules.status();
  const CombinedBase base = Combined({{part, 1}}, *rules);
  EXPECT_EQ(base.quality.bytes, base.bytes.size());
  EXPECT_EQ(base.quality.stacks, 3);
  EXPECT_EQ(base.quality.functions, 3);
  EXPECT_EQ(base.quality.samples, 10);
  EXPECT_EQ(base.quality.cpu_ns, 100);
  EXPECT_DOUBLE_EQ(base.quality.named, 0.3);
  EXPECT_DOUBLE_EQ(base.quality.with_lines, 0.1);
  EXPECT_DOUBLE_EQ(base.quality.pruned, 0.2);
  fleet::LogLine line("base");
  base.quality.AddTo(line);
  EXPECT_EQ(line.text(),
            absl::StrCat("event=base bytes=", base.bytes.size(),
                         " stacks=3 functions=3 samples=10 cpu_ns=100 "
                         "named_percent=30 with_lines_percent=10 "
                         "pruned_percent=20"));
}

TEST(CombinePartsTest, RefusesWhatIsNoPart) {
  EXPECT_EQ(CombineParts({}, "shop", {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CombineParts({{"no part", 1}}, "shop", {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  const std::string wall = EncodePprof(WallProfile({{{"main"}, {1, 2, 3}}}));
  EXPECT_EQ(CombineParts({{wall, 1}}, "shop", {}).status().message(),
            "a part has 3 sample types instead of 2");
  const std::string less = EncodePprof(CpuProfile({{{"main"}, {1, -2}}}));
  EXPECT_EQ(CombineParts({{less, 1}}, "shop", {}).status().message(),
            "a part has a negative value");
}

}  // namespace
}  // namespace wallprof::pgo
