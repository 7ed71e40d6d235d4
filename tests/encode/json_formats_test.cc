// The formats that are JSON: speedscope's, Chrome's and the table of functions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Label Number(const char* key, int64_t number) {
  return {key, "", number, "nanoseconds"};
}

// Two slices of ten microseconds, of a thread that is there from the first on
// and of one that starts with the second.
Profile TwoSlices() {
  const std::vector<Label> first = {{"thread", "a"},
                                    {"tid", "", 7},
                                    Number("slice_start", 0),
                                    Number("slice_length", 10'000)};
  const std::vector<Label> second = {{"thread", "a"},
                                     {"tid", "", 7},
                                     Number("slice_start", 10'000),
                                     Number("slice_length", 10'000)};
  std::vector<Label> other = second;
  other[0].text = "b";
  other[1].number = 8;
  // Not in the order of time.
  Profile profile = WallProfile({{{"main", "work"}, {7, 0, 7'000}, second},
                                 {{"main", "nap"}, {3, 0, 3'000}, second},
                                 {{"main", "nap"}, {1, 0, 10'000}, other},
                                 {{"main", "wait"}, {10, 0, 10'000}, first}});
  profile.time = absl::FromUnixMillis(1'700'000'000'000);
  profile.duration = absl::Microseconds(20);
  profile.comments = {
      "wallprof: 2 ticks, 99.00 Hz",
      "wallprof: 2023-11-14T22:13:20.000Z thread started 8 b",
      "wallprof: 2023-11-14T22:13:21.500Z clock set forward by 1s"};
  return profile;
}

Profile TwoThreads() {
  return WallProfile(
      {{{"main", "wait"}, {6, 0, 600}, {{"thread", "a"}, {"tid", "", 7}}},
       {{"main", "spin"}, {3, 300, 300}, {{"thread", "a"}, {"tid", "", 7}}},
       {{"main", "spin"}, {1, 100, 100}, {{"thread", "a"}, {"tid", "", 8}}}});
}

// The rules of speedscope's schema for profiles of type "sampled".
void ExpectOfSchema(const json& file) {
  EXPECT_EQ(file.at("$schema"),
            "https://www.speedscope.app/file-format-schema.json");
  size_t frames = file.at("shared").at("frames").size();
  for (const json& frame : file["shared"]["frames"]) {
    EXPECT_TRUE(frame.at("name").is_string());
  }
  ASSERT_FALSE(file.at("profiles").empty());
  EXPECT_LT(file.at("activeProfileIndex"), file["profiles"].size());
  for (const json& profile : file["profiles"]) {
    EXPECT_EQ(profile.at("type"), "sampled");
    EXPECT_TRUE(profile.at("name").is_string());
    EXPECT_THAT((std::vector<std::string>{"none", "nanoseconds", "microseconds",
                                          "milliseconds", "seconds", "bytes"}),
                testing::Contains(profile.at("unit").get<std::string>()));
    EXPECT_EQ(profile.at("startValue"), 0);
    auto weights = profile.at("weights").get<std::vector<int64_t>>();
    EXPECT_EQ(profile.at("endValue"),
              std::accumulate(weights.begin(), weights.end(), int64_t{0}));
    EXPECT_EQ(profile.at("samples").size(), weights.size());
    for (int64_t weight : weights) EXPECT_GT(weight, 0);
    for (const json& stack : profile["samples"]) {
      for (size_t frame : stack) EXPECT_LT(frame, frames);
    }
  }
}

// What viewers ask of the trace event format: each event has a phase, a name,
// a process, and times that are numbers; on each row, spans nest.
void ExpectTrace(const json& trace) {
  ASSERT_TRUE(trace.at("traceEvents").is_array());
  std::map<int64_t, std::vector<std::pair<double, double>>> open;  // by row
  for (const json& event : trace["traceEvents"]) {
    const std::string phase = event.at("ph");
    EXPECT_TRUE(event.at("name").is_string());
    EXPECT_TRUE(event.at("pid").is_number_integer());
    if (phase == "M") {
      EXPECT_TRUE(event.at("args").at("name").is_string());
      continue;
    }
    const double start = event.at("ts");
    if (phase == "i") {
      EXPECT_THAT(event.at("s"), testing::AnyOf("g", "t"));
      EXPECT_EQ(event["s"] == "t", event.contains("tid"));
      continue;
    }
    ASSERT_EQ(phase, "X");
    const double end = start + event.at("dur").get<double>();
    auto& spans = open[event.at("tid").get<int64_t>()];
    constexpr double kRounding = 1e-6;
    while (!spans.empty() && start >= spans.back().second - kRounding) {
      spans.pop_back();
    }
    if (!spans.empty()) {
      EXPECT_GE(start, spans.back().first - kRounding) << event;
      EXPECT_LE(end, spans.back().second + kRounding) << event;
    }
    spans.emplace_back(start, end);
  }
}

// "name start duration" of each span of a row.
std::vector<std::string> SpansOf(const json& trace, int64_t tid) {
  std::vector<std::string> spans;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] != "X" || event["tid"] != tid) continue;
    spans.push_back(event["name"].get<std::string>() + " " +
                    event["ts"].dump() + " " + event["dur"].dump());
  }
  return spans;
}

TEST(ChromeTraceTest, SlicesFollowEachOtherOnEachThreadsRow) {
  const json trace = json::parse(EncodeChromeTrace(TwoSlices()));
  ExpectTrace(trace);
  EXPECT_THAT(
      SpansOf(trace, 7),
      testing::ElementsAre("wall of a 0.0 10.0", "main 0.0 10.0",
                           "wait 0.0 10.0", "wall of a 10.0 10.0",
                           "main 10.0 10.0", "work 10.0 7.0", "nap 17.0 3.0"));
  EXPECT_THAT(SpansOf(trace, 8), testing::Contains("nap 10.0 10.0"));
  EXPECT_EQ(trace["otherData"]["start"], "2023-11-14T22:13:20+00:00");
}

TEST(ChromeTraceTest, WhatHappenedIsMarkedWhenItDid) {
  const json trace = json::parse(EncodeChromeTrace(TwoSlices()));
  std::vector<json> marks;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "i") marks.push_back(event);
  }
  ASSERT_EQ(marks.size(), 2);
  EXPECT_EQ(marks[0]["name"], "thread started 8 b");
  EXPECT_EQ(marks[0]["tid"], 8);
  EXPECT_EQ(marks[0]["ts"], 0);
  EXPECT_EQ(marks[1]["name"], "clock set forward by 1s");
  EXPECT_EQ(marks[1]["s"], "g");
  EXPECT_EQ(marks[1]["ts"], 1'500'000);
}

TEST(ChromeTraceTest, OfManyStacksTheHeaviestAreShown) {
  std::vector<TestStack> stacks;
  for (int i = 1; i <= 40; ++i) {
    stacks.push_back({{"main", "f" + std::to_string(i)}, {1, 0, i * 1000}});
  }
  Profile profile = WallProfile(stacks);
  profile.duration = absl::Microseconds(820);
  const std::string text = EncodeChromeTrace(profile);
  ExpectTrace(json::parse(text));
  EXPECT_THAT(text, HasSubstr("\"f40\""));
  EXPECT_THAT(text, testing::Not(HasSubstr("\"f20\"")));
  EXPECT_THAT(SpansOf(json::parse(text), -1),
              testing::Contains("[less heavy stacks] 414.0 406.0"));
}

TEST(ChromeTraceTest, AnyProfileIsATrace) {
  for (const Profile& profile :
       {Profile(), WallProfile({}), TwoThreads(), FullProfile()}) {
    ExpectTrace(json::parse(EncodeChromeTrace(profile)));
  }
  // Two threads at once have more time than passed.
  Profile profile = WallProfile({{{"main"}, {1, 0, 2000}}});
  profile.duration = absl::Microseconds(1);
  EXPECT_THAT(SpansOf(json::parse(EncodeChromeTrace(profile)), -1),
              testing::Contains("main 0.0 1.0"));
}

TEST(SpeedscopeTest, SlicesAreInTheOrderOfTime) {
  const json file = json::parse(EncodeSpeedscope(TwoSlices()));
  ExpectOfSchema(file);
  ASSERT_EQ(file["profiles"].size(), 2);
  EXPECT_EQ(file["profiles"][0]["weights"], json({10'000, 7'000, 3'000}));
  EXPECT_EQ(file["profiles"][1]["weights"], json({10'000, 10'000}))
      << "before it started nothing is shown";
  EXPECT_TRUE(file["profiles"][1]["samples"][0].empty());
}

TEST(SpeedscopeTest, HasAProfileForEachThread) {
  json file = json::parse(EncodeSpeedscope(TwoThreads()));
  ExpectOfSchema(file);
  ASSERT_EQ(file["profiles"].size(), 2);
  EXPECT_EQ(file["profiles"][0]["name"], "a (7)");
  EXPECT_EQ(file["profiles"][0]["unit"], "nanoseconds");
  EXPECT_EQ(file["profiles"][0]["endValue"], 900);
  EXPECT_EQ(file["profiles"][1]["name"], "a (8)");
  json stack = file["profiles"][0]["samples"][0];
  EXPECT_EQ(file["shared"]["frames"][stack[0].get<int>()]["name"], "main");
  EXPECT_EQ(file["shared"]["frames"][stack[1].get<int>()]["name"], "wait");
}

TEST(SpeedscopeTest, ViewDecidesTheWeights) {
  json file = json::parse(EncodeSpeedscope(TwoThreads(), View::kCpu));
  ExpectOfSchema(file);
  EXPECT_EQ(file["profiles"][0]["weights"], json({300}));
}

TEST(SpeedscopeTest, KeepsTheRulesForOddProfiles) {
  Profile negative = TwoThreads();
  negative.samples[2].values[2] = -100;
  json file = json::parse(EncodeSpeedscope(negative));
  ExpectOfSchema(file);
  EXPECT_EQ(file["profiles"][1]["name"], "before: a (8)");
  ExpectOfSchema(json::parse(EncodeSpeedscope(Profile())));
  ExpectOfSchema(json::parse(EncodeSpeedscope(FullProfile())));
  ExpectOfSchema(json::parse(EncodeSpeedscope(
      WallProfile({{{"\xff<\"\\>"}, {1, 0, 1}}, {{}, {1, 0, 1}}}))));
}

TEST(TableJsonTest, HasEveryTypeOfEachFunction) {
  json table = json::parse(EncodeJson(TwoThreads()));
  EXPECT_EQ(table["types"][1],
            json({{"type", "cpu"}, {"unit", "nanoseconds"}}));
  EXPECT_EQ(table["default"], "wall");
  EXPECT_EQ(table["totals"], json({10, 400, 1000}));
  EXPECT_EQ(
      table["functions"],
      json(
          {{{"name", "wait"}, {"flat", {6, 0, 600}}, {"cum", {6, 0, 600}}},
           {{"name", "spin"}, {"flat", {4, 400, 400}}, {"cum", {4, 400, 400}}},
           {{"name", "main"}, {"flat", {0, 0, 0}}, {"cum", {10, 400, 1000}}}}));
}

TEST(TableJsonTest, EmptyProfileIsAnEmptyTable) {
  EXPECT_EQ(EncodeJson(Profile()),
            "{\"types\":[],\"default\":\"\",\"time_ns\":0,\"duration_ns\":0,"
            "\"totals\":[],\"functions\":[]}\n");
}

}  // namespace
}  // namespace wallprof
