// Whatever the text, rules are read or refused with their place, and pruning by
// them leaves a profile of the same totals with no more in it than before.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/pgo/profile/prune_rules.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

// A function for each of these names, a stack for every two and three of them.
Profile SomeProfile() {
  const std::vector<std::string> names = {"main",       "f",   "pkg.(*T).Run",
                                          "ns::g(int)", "log", ""};
  Profile profile;
  profile.sample_types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
  for (const std::string& name : names) {
    const uint64_t id = profile.functions.size() + 1;
    profile.functions.push_back({id, name, name, "", 1});
    profile.locations.push_back({id, 0, id, {{id, 2, 0}, {1, 3, 0}}, false});
  }
  for (uint64_t i = 1; i <= names.size(); ++i) {
    for (uint64_t j = 1; j <= names.size(); ++j) {
      profile.samples.push_back({{i, j}, {1, 10}, {}});
      profile.samples.push_back({{j, i, 1}, {2, 20}, {}});
    }
  }
  return profile;
}

int64_t TotalOf(const Profile& profile) {
  int64_t total = 0;
  for (const Sample& sample : profile.samples) total += sample.values[1];
  return total;
}

void Check(std::string_view text) {
  const absl::StatusOr<PruneRules> rules = PruneRules::Parse(text, "the file");
  if (!rules.ok()) {
    Require(rules.status().code() == absl::StatusCode::kInvalidArgument,
            "an error blames the file");
    Require(rules.status().message().substr(0, 8) == "the file",
            "an error names the file");
    return;
  }
  const Profile before = SomeProfile();
  const auto after = rules->Apply("shop", before);
  Require(after.ok() && CheckValid(*after).ok(), "a pruned profile is valid");
  Require(TotalOf(*after) == TotalOf(before), "totals stay");
  Require(after->samples.size() <= before.samples.size() &&
              after->functions.size() <= before.functions.size(),
          "there is no more than before");
  for (const Sample& sample : after->samples) {
    Require(!sample.location_ids.empty(), "no stack is cut away");
  }
  if (!rules->HasRulesFor("shop")) {
    Require(EncodePprof(*after) == EncodePprof(*PruneRules().Apply("", before)),
            "no rules change nothing");
  }
  const auto again =
      PruneRules::Parse("// a comment\n" + std::string(text), "the file");
  Require(again.ok() &&
              EncodePprof(*again->Apply("shop", before)) == EncodePprof(*after),
          "comments change nothing");
}

}  // namespace
}  // namespace wallprof::pgo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::pgo::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
