#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "profiler/profile/cut_stacks.h"
#include "profiler/profile/name_matches.h"
#include "wallprof/filter.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

// Where a '(' does not begin the parameters.
constexpr std::string_view kNamesWithBrackets[] = {"(anonymous namespace)",
                                                   "operator()"};

// "ns::Name" of "ns::Name(int)"; the '.' is what some linkers begin names with.
std::string_view WithoutParameters(std::string_view name) {
  if (!name.empty() && name.front() == '.') name.remove_prefix(1);
  for (size_t i = 0; i < name.size(); ++i) {
    for (std::string_view whole : kNamesWithBrackets) {
      if (name.substr(i, whole.size()) == whole) i += whole.size();
    }
    if (i < name.size() && name[i] == '(') return name.substr(0, i);
  }
  return name;
}

// The functions that `match` matches by name without parameters.
absl::flat_hash_set<uint64_t> MatchingFunctions(const Profile& profile,
                                                const NameMatch& match) {
  absl::flat_hash_set<uint64_t> ids;
  if (!match) return ids;
  for (const Function& function : profile.functions) {
    if (!function.name.empty() && match(WithoutParameters(function.name))) {
      ids.insert(function.id);
    }
  }
  return ids;
}

// Cuts the sample's stack, leaf first, at the outermost location that is in
// `cut` and is called by one that is not. One in `whole` goes itself.
void CutBelow(Sample& sample, const LocationSet& cut,
              const LocationSet& whole) {
  auto& ids = sample.location_ids;
  bool stays = false;  // whether a frame has been seen that does
  for (size_t i = ids.size(); i-- > 0;) {
    if (!cut.Has(ids[i])) {
      stays = true;
    } else if (stays) {
      ids.erase(ids.begin(), ids.begin() + i + (whole.Has(ids[i]) ? 1 : 0));
      return;
    }
  }
}

}  // namespace

void CutStacks(const NameMatch& drop, const NameMatch& keep, Profile& profile) {
  absl::flat_hash_set<uint64_t> dropped = MatchingFunctions(profile, drop);
  for (uint64_t id : MatchingFunctions(profile, keep)) dropped.erase(id);
  LocationSet cut;
  LocationSet whole;
  for (Location& location : profile.locations) {
    auto& lines = location.lines;
    auto outermost = std::find_if(
        lines.rbegin(), lines.rend(),
        [&](const Line& line) { return dropped.contains(line.function_id); });
    if (outermost == lines.rend()) continue;
    cut.Add(location.id);
    if (outermost == lines.rbegin()) {
      whole.Add(location.id);
    } else {
      lines.erase(lines.begin(), outermost.base());
    }
  }
  for (Sample& sample : profile.samples) CutBelow(sample, cut, whole);
}

absl::StatusOr<Profile> Prune(const Profile& profile, const NameMatch& drop,
                              const NameMatch& keep) {
  if (absl::Status s = CheckValid(profile); !s.ok()) return s;
  Profile pruned = profile;
  CutStacks(drop, keep, pruned);
  return Merge(absl::MakeConstSpan(&pruned, 1));
}

absl::StatusOr<Profile> PruneFrom(const Profile& profile,
                                  const NameMatch& match) {
  if (absl::Status s = CheckValid(profile); !s.ok()) return s;
  absl::flat_hash_set<uint64_t> matching = MatchingFunctions(profile, match);
  Profile pruned = profile;
  LocationSet from;
  for (Location& location : pruned.locations) {
    auto& lines = location.lines;
    auto innermost = std::find_if(
        lines.begin(), lines.end(),
        [&](const Line& line) { return matching.contains(line.function_id); });
    if (innermost == lines.end()) continue;
    lines.erase(lines.begin(), innermost);
    from.Add(location.id);
  }
  for (Sample& sample : pruned.samples) {
    auto& ids = sample.location_ids;
    auto innermost = std::find_if(
        ids.begin(), ids.end(), [&from](uint64_t id) { return from.Has(id); });
    if (innermost != ids.end()) ids.erase(ids.begin(), innermost);
  }
  return Merge(absl::MakeConstSpan(&pruned, 1));
}

}  // namespace wallprof
