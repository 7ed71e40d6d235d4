// The formats that are JSON: speedscope's and the table of functions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using nlohmann::json;
using testing::HasSubstr;

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
