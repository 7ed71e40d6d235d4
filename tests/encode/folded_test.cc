#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

std::string FoldedFrame(const std::string& name) {
  std::string line = EncodeFolded(WallProfile({{{name}, {1, 0, 1000}}}));
  return line.substr(0, line.rfind(' '));
}

TEST(EncodeFoldedTest, LineHasFramesRootFirstAndMicroseconds) {
  EXPECT_EQ(EncodeFolded(WallProfile(
                {{{"_start", "main", "slowNetworkRequest()", "recv"},
                  {595, 0, 6'012'345'000}}})),
            "_start;main;slowNetworkRequest();recv 6012345\n");
}

TEST(EncodeFoldedTest, LinesFollowTheNamesWhereTheyAreKnown) {
  Profile profile =
      WallProfile({{{"main", "serve(int)", "recv"}, {1, 0, 7000}}});
  for (Function& function : profile.functions) {
    if (function.name != "recv") function.filename = "/src/server.cc";
  }
  for (Location& location : profile.locations) {
    const std::string& name =
        profile.functions[location.lines[0].function_id - 1].name;
    // A line of no file is no place, nor is a file without line.
    location.lines[0].line = name == "main" ? 0 : 12;
  }
  FoldedOptions options;
  EXPECT_EQ(EncodeFolded(profile, options), "main;serve(int);recv 7\n");
  options.lines = true;
  EXPECT_EQ(EncodeFolded(profile, options),
            "main;serve(int) (server.cc:12);recv 7\n");
}

TEST(EncodeFoldedTest, EmptyProfileIsAnEmptyText) {
  EXPECT_EQ(EncodeFolded(Profile()), "");
  EXPECT_EQ(EncodeFolded(WallProfile({})), "");
}

TEST(EncodeFoldedTest, WholeLinesAreSortedBytewise) {
  EXPECT_EQ(EncodeFolded(WallProfile({{{"b"}, {1, 0, 1000}},
                                      {{"a b"}, {1, 0, 1000}},
                                      {{"a", "z"}, {1, 0, 1000}},
                                      {{"a"}, {1, 0, 5000}},
                                      {{"a !"}, {1, 0, 1000}},
                                      {{"\xc3\xa9"}, {1, 0, 1000}},
                                      {{"B"}, {1, 0, 1000}}})),
            "B 1\na ! 1\na 5\na b 1\na;z 1\nb 1\n\xc3\xa9 1\n");
}

TEST(EncodeFoldedTest, EqualStacksAreSummedBeforeRounding) {
  EXPECT_EQ(EncodeFolded(WallProfile({{{"f"}, {1, 0, 300}, {{"k", "1"}}},
                                      {{"f"}, {1, 0, 300}, {{"k", "2"}}}})),
            "f 1\n");
}

TEST(EncodeFoldedTest, HalfAMicrosecondRoundsAwayFromZeroAndZeroIsLeftOut) {
  EXPECT_EQ(EncodeFolded(WallProfile({{{"a"}, {1, 0, 499}},
                                      {{"b"}, {1, 0, 500}},
                                      {{"c"}, {1, 0, 1499}},
                                      {{"d"}, {1, 0, -499}},
                                      {{"e"}, {1, 0, -500}},
                                      {{"f"}, {1, 0, -1501}},
                                      {{"g"}, {1, 0, 0}}})),
            "b 1\nc 1\ne -1\nf -2\n");
}

TEST(EncodeFoldedTest, ExtremeWeightsSurvive) {
  int64_t largest = std::numeric_limits<int64_t>::max();
  int64_t smallest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(EncodeFolded(WallProfile({{{"a"}, {1, 0, largest}},
                                      {{"a"}, {1, 0, largest}},
                                      {{"b"}, {1, 0, smallest}}})),
            "a 9223372036854775\nb -9223372036854775\n");
}

TEST(EncodeFoldedTest, WhatWouldBreakALineBecomesUnderscore) {
  EXPECT_EQ(FoldedFrame("a;b"), "a_b");
  EXPECT_EQ(FoldedFrame("a\nb\rc\td\x7f"
                        "e"),
            "a_b_c_d_e");
  EXPECT_EQ(FoldedFrame(std::string("a\0b", 3)), "a_b");
  EXPECT_EQ(FoldedFrame("a\xc2\x85"
                        "b"),
            "a_b");  // U+0085, next line
  EXPECT_EQ(FoldedFrame("\xc2"), "\xc2");
  EXPECT_EQ(FoldedFrame("\xc2\xa0\xc3\xa9"), "\xc2\xa0\xc3\xa9");
}

TEST(EncodeFoldedTest, NamesThatBecomeEqualAreOneStack) {
  EXPECT_EQ(EncodeFolded(WallProfile(
                {{{"a;b"}, {1, 0, 1000}}, {{"a_b"}, {1, 0, 2000}}})),
            "a_b 3\n");
}

TEST(EncodeFoldedTest, InlinedAndCalledFramesFoldAlike) {
  Profile profile = WallProfile({{{"f", "g"}, {1, 0, 1000}}});
  profile.locations.push_back({3, 0, 9, {{2}, {1}}, false});
  profile.samples.push_back({{3}, {1, 0, 2000}, {}});
  EXPECT_EQ(EncodeFolded(profile), "f;g 3\n");
}

TEST(EncodeFoldedTest, UnsymbolizedFrameIsFileAndAddress) {
  EXPECT_EQ(EncodeFolded(FullProfile()),
            "main;Wait(int);demo+0x5321 41000\nmain;Wait(int);recv 50000\n");
}

TEST(EncodeFoldedTest, CloneSuffixIsNotShown) {
  EXPECT_EQ(FoldedFrame("f(int) [clone .cold]"), "f(int)");
}

TEST(EncodeFoldedTest, SampleWithoutStackIsShownAsUnknown) {
  EXPECT_EQ(EncodeFolded(WallProfile({{{}, {1, 0, 1000}}})), "[unknown] 1\n");
}

TEST(EncodeFoldedTest, ViewChoosesTheWeight) {
  Profile profile =
      WallProfile({{{"wait"}, {1, 0, 9000}}, {{"mix"}, {1, 2000, 5000}}});
  EXPECT_EQ(EncodeFolded(profile, {View::kCpu}), "mix 2\n");
  EXPECT_EQ(EncodeFolded(profile, {View::kOffCpu}), "mix 3\nwait 9\n");
}

TEST(EncodeFoldedTest, ProfileWithoutTheViewShowsItsDefaultType) {
  Profile heap = ProfileOfStacks({{"space", "bytes"}, {"objects", "count"}},
                                 {{{"f"}, {4096, 2}}});
  EXPECT_EQ(EncodeFolded(heap), "f 2\n");
  heap.default_sample_type = "space";
  EXPECT_EQ(EncodeFolded(heap), "f 4096\n");
  heap.default_sample_type = "";
  EXPECT_EQ(EncodeFolded(heap), "f 2\n");
}

TEST(EncodeFoldedTest, ThreadNameIsTheFirstFrameWhenAskedFor) {
  Profile profile = WallProfile({{{"f"}, {1, 0, 1000}, {{"thread", "io;1"}}},
                                 {{"f"}, {1, 0, 2000}, {{"thread", "worker"}}},
                                 {{"f"}, {1, 0, 4000}, {{"tid", "", 9}}}});
  EXPECT_EQ(EncodeFolded(profile), "f 7\n");
  EXPECT_EQ(EncodeFolded(profile, {View::kWall, true}),
            "f 4\nio_1;f 1\nworker;f 2\n");
}

TEST(DecodeFoldedTest, ReadsStacksIntoAWallProfile) {
  absl::StatusOr<Profile> profile = DecodeFolded("main;f 5\nmain 2\n");
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
  EXPECT_EQ(ProfileText(*profile),
            "type samples/count\n"
            "type wall/nanoseconds\n"
            "default wall\n"
            "sample 1 5000 at 2 1\n"
            "sample 1 2000 at 1\n"
            "location 1 in 0 at 0 1:0:0\n"
            "location 2 in 0 at 0 2:0:0\n"
            "function 1 main main :0\n"
            "function 2 f f :0\n"
            "drop  keep \n"
            "time 0 duration 0\n"
            "period 0 wall/nanoseconds\n"
            "doc \n");
}

TEST(DecodeFoldedTest, WhatWasReadIsWrittenTheSame) {
  std::string text = "a b;c(int, long) 5\na;d -7\nz 9223372036854775\n";
  absl::StatusOr<Profile> profile = DecodeFolded(text);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(EncodeFolded(*profile), text);
}

TEST(DecodeFoldedTest, EqualStacksAreAdded) {
  absl::StatusOr<Profile> profile = DecodeFolded("a 1\nb 1\na 2");
  ASSERT_TRUE(profile.ok()) << profile.status();
  ASSERT_EQ(profile->samples.size(), 2);
  EXPECT_THAT(profile->samples[0].values, ElementsAre(2, 3000));
}

TEST(DecodeFoldedTest, EmptyLinesAndCarriageReturnsDoNotCount) {
  absl::StatusOr<Profile> profile = DecodeFolded("\na 1\r\n\r\n\nb 2\r\n");
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(EncodeFolded(*profile), "a 1\nb 2\n");
  ASSERT_TRUE(DecodeFolded("").ok());
  EXPECT_TRUE(DecodeFolded("")->samples.empty());
}

TEST(DecodeFoldedTest, ErrorsNameTheLine) {
  auto error = [](std::string_view text) {
    return DecodeFolded(text).status();
  };
  EXPECT_EQ(error("a 1\nb\n"),
            absl::InvalidArgumentError("line 2: no weight at its end"));
  EXPECT_EQ(
      error("a 1\n\nb x\n"),
      absl::InvalidArgumentError("line 3: its weight is not a whole number"));
  EXPECT_EQ(error("a 1.5"), absl::InvalidArgumentError(
                                "line 1: its weight is not a whole number"));
  EXPECT_EQ(error("a "), absl::InvalidArgumentError(
                             "line 1: its weight is not a whole number"));
  EXPECT_EQ(error("a 99999999999999999999"),
            absl::InvalidArgumentError("line 1: its weight is too large"));
  EXPECT_EQ(error("a 9223372036854776"),
            absl::InvalidArgumentError("line 1: its weight is too large"));
  EXPECT_EQ(error(" 1"), absl::InvalidArgumentError("line 1: an empty frame"));
  EXPECT_EQ(error("a;;b 1"),
            absl::InvalidArgumentError("line 1: an empty frame"));
  EXPECT_EQ(error("a; 1"),
            absl::InvalidArgumentError("line 1: an empty frame"));
}

TEST(DecodeFoldedTest, TwoWeightsOnEveryLineAreADifference) {
  std::string text = "main;spin 3 6\nmain;wait 0 2\n";
  absl::StatusOr<Profile> profile = DecodeFolded(text);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(EncodeFolded(*profile), text);
  EXPECT_EQ(profile->samples[1].values[1], -3000);
  EXPECT_EQ(profile->samples[1].labels,
            (std::vector<Label>{{"pprof::base", "true"}}));
}

TEST(DecodeFoldedTest, ANumberThatSomeNamesEndInIsTheirs) {
  std::string text = "operator 1 6\nwait 2\n";
  absl::StatusOr<Profile> profile = DecodeFolded(text);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(EncodeFolded(*profile), text);
  EXPECT_EQ(profile->functions[0].name, "operator 1");
}

}  // namespace
}  // namespace wallprof
