#include "fleet/pgo/export/code_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "fleet/pgo/profile/addresses.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "tests/symbolize/binutils.h"

namespace wallprof::pgo {
namespace {

using symbolize::ElfImage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// Where a shared library was loaded.
constexpr uint64_t kLoaded = 0x7f0000400000;

class CodeCountsTest : public ::testing::Test {
 protected:
  CodeCountsTest()
      : image_(*ElfImage::Open(SUBJECT)),
        text_(symbolize::NmAddress(SUBJECT, "wp_plain")) {
    profile_.sample_types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
    profile_.period_type = {"cpu", "nanoseconds"};
    profile_.period = 10;
    AddMapping("/usr/lib/libsubject.so", image_->BuildId());
  }

  void AddMapping(const std::string& path, const std::string& build_id) {
    Mapping mapping;
    mapping.id = profile_.mappings.size() + 1;
    mapping.start = kLoaded + 0x10000000 * profile_.mappings.size();
    mapping.limit = mapping.start + 0x100000;
    mapping.filename = path;
    mapping.build_id = build_id;
    profile_.mappings.push_back(mapping);
  }

  // Of code `offset` bytes into a mapping. 0: no mapping.
  uint64_t At(uint64_t mapping_id, uint64_t offset) {
    Location location;
    location.id = profile_.locations.size() + 1;
    location.mapping_id = mapping_id;
    location.address =
        offset +
        (mapping_id == 0 ? 0x1000 : profile_.mappings[mapping_id - 1].start);
    profile_.locations.push_back(location);
    return location.id;
  }

  uint64_t Pseudo(const std::string& name) {
    Function function;
    function.id = profile_.functions.size() + 1;
    function.name = name;
    profile_.functions.push_back(function);
    Location location;
    location.id = profile_.locations.size() + 1;
    location.lines = {{function.id, 0, 0}};
    profile_.locations.push_back(location);
    return location.id;
  }

  void Add(std::vector<uint64_t> stack, int64_t count) {
    profile_.samples.push_back({std::move(stack), {count, count * 10}, {}});
  }

  absl::StatusOr<CodeCounts> Count(Match match = Match::kBuildId) {
    return CountCode(profile_, *image_, SUBJECT, match);
  }

  const std::unique_ptr<ElfImage> image_;
  const uint64_t text_;  // an address, and an offset, of code
  Profile profile_;
};

TEST_F(CodeCountsTest, CountsInnermostFrames) {
  const uint64_t one = At(1, text_);
  const uint64_t two = At(1, text_ + 4);
  Add({one}, 3);
  Add({one, two}, 4);
  Add({two}, 5);
  const auto counts = Count();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_THAT(counts->at, ElementsAre(Pair(text_, 7), Pair(text_ + 4, 5)));
  EXPECT_THAT(counts->calls, ElementsAre(Pair(Pair(text_ + 4, text_), 4)));
  EXPECT_EQ(counts->total, 12);
  EXPECT_EQ(counts->matched, 12);
}

TEST_F(CodeCountsTest, FindsCodeOfMappingsThatBeginAnywhere) {
  profile_.mappings[0].file_offset = 0x1000;
  Add({At(1, text_ - 0x1000)}, 3);
  EXPECT_THAT(Count()->at, ElementsAre(Pair(text_, 3)));
  // As bases have them.
  MoveToFileAddresses(profile_);
  EXPECT_EQ(profile_.mappings[0].start, 0x1000u);
  EXPECT_THAT(Count()->at, ElementsAre(Pair(text_, 3)));
}

TEST_F(CodeCountsTest, WhatIsElsewhereIsToldByPlace) {
  AddMapping("/usr/lib/libother.so (deleted)", "1234");
  AddMapping("", "5678");
  Add({At(1, text_)}, 1);
  Add({At(2, text_), At(1, text_)}, 2);
  Add({At(3, text_)}, 4);
  Add({At(0, text_)}, 8);
  Add({Pseudo("[kernel]"), At(1, text_)}, 16);
  Add({Pseudo("named")}, 32);
  Add({}, 64);
  Add({At(1, 0x200000)}, 128);
  Add({At(1, 0xff000)}, 256);
  const auto counts = Count();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->total, 511);
  EXPECT_EQ(counts->matched, 1);
  EXPECT_THAT(
      counts->elsewhere,
      ElementsAre(Pair("[kernel]", 16), Pair("a mapping without a name", 4),
                  Pair("beyond the binary's segments", 256),
                  Pair("libother.so", 2), Pair("no address", 32),
                  Pair("no frames", 64), Pair("no mapping", 8),
                  Pair("outside of the binary's mappings", 128)));
  EXPECT_TRUE(counts->calls.empty());
}

TEST_F(CodeCountsTest, RecursionCountsOnceInAStack) {
  const uint64_t frame = At(1, text_);
  Add({frame, frame, frame, frame}, 5);
  EXPECT_THAT(Count()->calls, ElementsAre(Pair(Pair(text_, text_), 5)));
}

TEST_F(CodeCountsTest, TakesNamesWhenToldTo) {
  profile_.mappings[0].build_id = "";
  profile_.mappings[0].filename = "/old/" SUBJECT " (deleted)";
  Add({At(1, text_)}, 3);
  EXPECT_THAT(Count(Match::kName)->at, ElementsAre(Pair(text_, 3)));
}

TEST_F(CodeCountsTest, RefusesProfilesOfOtherBinaries) {
  profile_.mappings[0].build_id = "1234abcd";
  Add({At(1, text_)}, 3);
  const absl::Status by_id = Count().status();
  EXPECT_EQ(by_id.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(by_id.message()),
              AllOf(HasSubstr(SUBJECT), HasSubstr(image_->BuildId()),
                    HasSubstr("libsubject.so 1234abcd"),
                    HasSubstr("--match lines"), HasSubstr("--match name")));
  const absl::Status by_name = Count(Match::kName).status();
  EXPECT_EQ(by_name.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(by_name.message()), HasSubstr("libsubject.so"));
}

TEST_F(CodeCountsTest, RefusesWhenAllSamplesAreElsewhere) {
  AddMapping("/usr/lib/libother.so", "1234");
  Add({At(2, text_), At(1, text_)}, 3);
  EXPECT_THAT(
      std::string(Count().status().message()),
      HasSubstr(
          "no sample is in its own code; all 3 are elsewhere: libother.so"));
}

TEST_F(CodeCountsTest, RefusesProfilesWithoutAddresses) {
  Add({Pseudo("main")}, 3);
  EXPECT_THAT(std::string(Count().status().message()),
              HasSubstr("has no addresses"));
}

TEST_F(CodeCountsTest, RefusesBinariesWithoutBuildId) {
  const auto anonymous = ElfImage::Open(SUBJECT_ANONYMOUS);
  ASSERT_TRUE(anonymous.ok());
  profile_.mappings[0].build_id = "";
  profile_.mappings[0].filename = SUBJECT_ANONYMOUS;
  Add({At(1, text_)}, 3);
  const auto counts =
      CountCode(profile_, **anonymous, SUBJECT_ANONYMOUS, Match::kBuildId);
  EXPECT_THAT(std::string(counts.status().message()),
              AllOf(HasSubstr("no build id"), HasSubstr("--match name")));
  EXPECT_TRUE(
      CountCode(profile_, **anonymous, SUBJECT_ANONYMOUS, Match::kName).ok());
}

TEST_F(CodeCountsTest, WallProfilesAreReducedToTimeOnACpu) {
  profile_.sample_types = {
      {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
  profile_.period_type = {"wall", "nanoseconds"};
  profile_.period = 10;
  const uint64_t frame = At(1, text_);
  // Five samples, of which two were on a CPU; then one that waited.
  profile_.samples.push_back({{frame}, {5, 20, 50}, {}});
  profile_.samples.push_back({{frame}, {9, 0, 90}, {}});
  ASSERT_TRUE(KeepOnCpu(profile_).ok());
  EXPECT_THAT(Count()->at, ElementsAre(Pair(text_, 2)));
}

TEST_F(CodeCountsTest, WallTimeAloneIsRefused) {
  profile_.sample_types = {{"samples", "count"}, {"wall", "nanoseconds"}};
  profile_.period_type = {"wall", "nanoseconds"};
  Add({At(1, text_)}, 3);
  const absl::Status kept = KeepOnCpu(profile_);
  EXPECT_EQ(kept.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(kept.message()), HasSubstr("wall-clock time"));
}

// Whatever the stacks: each sample is in the binary or elsewhere, once.
TEST_F(CodeCountsTest, FiguresAddUp) {
  AddMapping("/usr/lib/libother.so", "1234");
  std::vector<uint64_t> places = {Pseudo("[kernel]"), Pseudo("named"),
                                  At(0, text_)};
  for (uint64_t mapping : {1, 2}) {
    for (uint64_t offset : {text_, text_ + 1, text_ + 9, uint64_t{0x200000}}) {
      places.push_back(At(mapping, offset));
    }
  }
  std::mt19937 random(1);
  Add({At(1, text_)}, 1);
  for (int round = 0; round < 100; ++round) {
    std::vector<uint64_t> stack(random() % 6);
    for (uint64_t& frame : stack) frame = places[random() % places.size()];
    Add(stack, random() % 20);
    const auto counts = Count();
    ASSERT_TRUE(counts.ok()) << counts.status();
    int64_t all = 0;
    for (const Sample& sample : profile_.samples) all += sample.values[0];
    int64_t elsewhere = 0;
    for (const auto& [where, count] : counts->elsewhere) elsewhere += count;
    int64_t at = 0;
    for (const auto& [address, count] : counts->at) at += count;
    EXPECT_EQ(counts->total, all);
    EXPECT_EQ(counts->matched + elsewhere, all);
    EXPECT_EQ(at, counts->matched);
  }
}

}  // namespace
}  // namespace wallprof::pgo
