#include "fleet/store/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace wallprof::store {
namespace {

const Series kShop = {
    "shop",
    "wall",
    {{"host", "db-1"}, {"zone", "eu"}, {"zone", "us"}, {"q", "a\"b\\\n"}}};

bool Matches(std::string_view text, const Series& series = kShop) {
  const absl::StatusOr<Selector> selector = Selector::Parse(text);
  EXPECT_TRUE(selector.ok()) << text << ": " << selector.status();
  return selector.ok() && selector->Matches(series);
}

std::string ErrorOf(std::string_view text) {
  return std::string(Selector::Parse(text).status().message());
}

TEST(SelectorTest, ComparesServiceTypeAndLabels) {
  EXPECT_TRUE(Matches(R"(service="shop",type="wall",host="db-1")"));
  EXPECT_FALSE(Matches(R"(service="shop",type="cpu")"));
  EXPECT_FALSE(Matches(R"(host="db")"));
  EXPECT_TRUE(Matches(R"(host!="db")"));
}

TEST(SelectorTest, PatternsMatchFromBeginToEnd) {
  EXPECT_TRUE(Matches(R"(host=~"db.*")"));
  EXPECT_TRUE(Matches(R"(host=~"db-\d")"));
  EXPECT_FALSE(Matches(R"(host=~"db")"));
  EXPECT_TRUE(Matches(R"(host!~"db")"));
  EXPECT_FALSE(Matches(R"(service!~"s.*p")"));
}

TEST(SelectorTest, OfSeveralValuesOneHasToMatch) {
  EXPECT_TRUE(Matches(R"(zone="us")"));
  EXPECT_TRUE(Matches(R"(zone="eu")"));
  EXPECT_FALSE(Matches(R"(zone!="eu")"));
}

TEST(SelectorTest, AMissingLabelIsEmpty) {
  EXPECT_TRUE(Matches(R"(rack="")"));
  EXPECT_FALSE(Matches(R"(rack!="")"));
  EXPECT_TRUE(Matches(R"(rack!="r1")"));
  EXPECT_TRUE(Matches(R"(rack=~"|r1")"));
  EXPECT_FALSE(Matches(R"(host="")"));
}

TEST(SelectorTest, BracesAndSpacesDoNotMatter) {
  for (const std::string text :
       {R"({service="shop"})", R"( { service = "shop" , } )",
        R"(service="shop",)", "", "{}", "  "}) {
    EXPECT_TRUE(Matches(text)) << text;
  }
}

TEST(SelectorTest, ValuesAreEscaped) {
  EXPECT_TRUE(Matches(R"(q="a\"b\\\n")"));
}

TEST(SelectorTest, SaysWhereItIsWrong) {
  EXPECT_EQ(ErrorOf("service"),
            "one of =, !=, =~, !~ expected at character 8 of the selector");
  EXPECT_EQ(ErrorOf("a=b"), "'\"' expected at character 3 of the selector");
  EXPECT_EQ(ErrorOf(R"(a="b)"),
            "the closing '\"' expected at character 5 of the selector");
  EXPECT_EQ(ErrorOf(R"(a="b\)"),
            "the closing '\"' expected at character 6 of the selector");
  EXPECT_EQ(ErrorOf(R"(a="b" c="d")"),
            "',' expected at character 7 of the selector");
  EXPECT_EQ(ErrorOf(R"({a="b")"),
            "'}' or ',' expected at character 7 of the selector");
  EXPECT_EQ(ErrorOf(R"({a="b"}x)"),
            "',' expected at character 8 of the selector");
  EXPECT_EQ(ErrorOf(R"(="b")"),
            "a name expected at character 1 of the selector");
  EXPECT_THAT(ErrorOf(R"(a=~"(")"),
              testing::HasSubstr("the pattern is wrong (missing ): (), which "
                                 "ends at character 7"));
}

TEST(SelectorTest, RefusesWhatWouldTakeTooMuch) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += R"(a="b",)";
  EXPECT_THAT(ErrorOf(many), testing::HasSubstr("more than 32 conditions"));
  EXPECT_THAT(ErrorOf(R"(a=~"((a{100}){100}){100}")"),
              testing::HasSubstr("the pattern is wrong"));
}

TEST(SelectorTest, TellsWhatAnIndexCanLookUp) {
  Selector selector = *Selector::Parse(R"(type=~"c.*",service="shop")");
  EXPECT_EQ(selector.ValueOf("service"), "shop");
  EXPECT_EQ(selector.ValueOf("type"), std::nullopt);
  selector.Require("type", "cpu");
  EXPECT_EQ(selector.ValueOf("type"), "cpu");
  EXPECT_FALSE(selector.Matches(kShop));
}

}  // namespace
}  // namespace wallprof::store
