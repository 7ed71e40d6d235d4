#include "fleet/pgo/profile/prune_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

PruneRules Parsed(std::string_view text) {
  absl::StatusOr<PruneRules> rules = PruneRules::Parse(text, "rules.json");
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *rules : PruneRules();
}

std::string Pruned(const PruneRules& rules, const Profile& profile) {
  absl::StatusOr<Profile> pruned = rules.Apply("shop", profile);
  EXPECT_TRUE(pruned.ok()) << pruned.status();
  return pruned.ok() ? EncodeFolded(*pruned, {View::kCpu}) : std::string();
}

TEST(PruneRulesTest, CutsBelowWhatMatchesAnywhere) {
  const PruneRules rules = Parsed(R"([
    // Comments are allowed: autopgo's own example has some.
    {"app": "shop", "rules": [
      {"drop": "github.com\/x\/.*", "keep": "x/hot"}, {"drop": "^log"}]},
    {"app": "other", "rules": []}])");
  EXPECT_TRUE(rules.HasRulesFor("shop"));
  EXPECT_FALSE(rules.HasRulesFor("other"));
  EXPECT_FALSE(rules.HasRulesFor("third"));
  const Profile profile =
      CpuProfile({{{"main", "github.com/x/y.F", "g"}, {1, 1'000'000}},
                  {{"main", "vendor/github.com/x/y.F"}, {1, 2'000'000}},
                  {{"main", "github.com/x/hot.F", "g"}, {1, 4'000'000}},
                  {{"main", "logAll", "h"}, {1, 8'000'000}},
                  {{"main", "catalog"}, {1, 16'000'000}}});
  EXPECT_EQ(Pruned(rules, profile),
            "main 11000\n"
            "main;catalog 16000\n"
            "main;github.com/x/hot.F;g 4000\n");
  const Profile pruned = *rules.Apply("shop", profile);
  EXPECT_EQ(pruned.functions.size(), 4);
  EXPECT_EQ(pruned.locations.size(), 4);
  EXPECT_EQ(rules.Apply("third", profile)->samples.size(), 5);
}

TEST(PruneRulesTest, SaysWhereAndWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "rules.json is no JSON: byte 1"},
      {"[{]", "rules.json is no JSON: byte 3"},
      {"[9e999]", "rules.json has a number beyond all that can be"},
      {"{}", "rules.json is no list of applications"},
      {"[1]", "rules.json, entry 1 is no object"},
      {R"([{"rules": []}])", R"(rules.json, entry 1 has no text "app")"},
      {R"([{"app": ""}])", R"(rules.json, entry 1 has no text "app")"},
      {R"([{"app": "a"}])", R"(rules.json, entry 1 has no list "rules")"},
      {R"([{"app": "a", "rules": [], "x": 1}])",
       R"(rules.json, entry 1 has "x", which means nothing here)"},
      {R"([{"app": "a", "rules": []}, {"app": "a", "rules": []}])",
       "rules.json, entry 2 is of a, which is there before"},
      {R"([{"app": "a", "rules": [{"drop": "x"}, {"keep": "x"}]}])",
       R"(rules.json, entry 1, rule 2 has no "drop")"},
      {R"([{"app": "a", "rules": [{"drop": ""}]}])",
       R"(rules.json, entry 1, rule 1 has no "drop")"},
      {R"([{"app": "a", "rules": [{"drop": 1}]}])",
       R"(rules.json, entry 1, rule 1 has a "drop" that is no text)"},
      {R"([{"app": "a", "rules": [{"drop": "x", "keep": "("}]}])",
       R"(rules.json, entry 1, rule 1 has a "keep" that is no regular )"
       R"(expression: missing ): ()"}};
  for (const auto& [text, sentence] : cases) {
    EXPECT_EQ(PruneRules::Parse(text, "rules.json").status(),
              absl::InvalidArgumentError(sentence));
  }
}

TEST(PruneRulesTest, NoneChangeNothing) {
  const Profile profile = CpuProfile({{{"main", "log"}, {1, 1'000'000}}});
  EXPECT_EQ(Pruned(PruneRules(), profile), "main;log 1000\n");
}

}  // namespace
}  // namespace wallprof::pgo
