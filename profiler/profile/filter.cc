#include "wallprof/filter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "profiler/profile/name_matches.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

// Keeps the samples that `keep` says yes to.
template <typename Keep>
void KeepSamples(Profile& profile, Keep keep) {
  auto& samples = profile.samples;
  samples.erase(
      std::remove_if(samples.begin(), samples.end(),
                     [&keep](const Sample& sample) { return !keep(sample); }),
      samples.end());
}

bool HasAny(const Sample& sample, const LocationSet& set) {
  return std::any_of(sample.location_ids.begin(), sample.location_ids.end(),
                     [&set](uint64_t id) { return set.Has(id); });
}

LocationSet MatchingLocations(const Profile& profile, const NameMatch& match) {
  NameMatches matches(profile, match);
  LocationSet set;
  for (const Location& location : profile.locations) {
    if (matches.Matches(location)) set.Add(location.id);
  }
  return set;
}

// Takes the lines that match, or those that do not, from every location, and
// the locations that have nothing left from every sample. A location without
// lines is one frame.
void DropFrames(Profile& profile, const NameMatch& match, bool drop_matching) {
  NameMatches matches(profile, match);
  LocationSet gone;
  for (Location& location : profile.locations) {
    bool whole = matches.MatchesFile(location);
    if (location.lines.empty() || whole) {
      if (whole == drop_matching) gone.Add(location.id);
      continue;
    }
    auto& lines = location.lines;
    lines.erase(std::remove_if(lines.begin(), lines.end(),
                               [&](const Line& line) {
                                 return matches.Matches(line) == drop_matching;
                               }),
                lines.end());
    if (lines.empty()) gone.Add(location.id);
  }
  std::vector<Sample> kept;
  for (Sample& sample : profile.samples) {
    auto& ids = sample.location_ids;
    // Without a stack there is nothing to drop, and nothing to show.
    bool keep_empty = ids.empty() && drop_matching;
    ids.erase(std::remove_if(ids.begin(), ids.end(),
                             [&gone](uint64_t id) { return gone.Has(id); }),
              ids.end());
    if (!ids.empty() || keep_empty) kept.push_back(std::move(sample));
  }
  profile.samples = std::move(kept);
}

void ShowFrom(Profile& profile, const NameMatch& match) {
  NameMatches matches(profile, match);
  LocationSet from;
  for (Location& location : profile.locations) {
    if (matches.MatchesFile(location)) {
      from.Add(location.id);
      continue;
    }
    // Lines are innermost first: callers inlined here come after.
    auto& lines = location.lines;
    auto outermost = std::find_if(
        lines.rbegin(), lines.rend(),
        [&matches](const Line& line) { return matches.Matches(line); });
    if (outermost == lines.rend()) continue;
    lines.erase(outermost.base(), lines.end());
    from.Add(location.id);
  }
  for (Sample& sample : profile.samples) {
    auto& ids = sample.location_ids;
    auto outermost = std::find_if(ids.rbegin(), ids.rend(),
                                  [&](uint64_t id) { return from.Has(id); });
    ids.erase(outermost.base(), ids.end());
  }
  KeepSamples(profile, [](const Sample& s) { return !s.location_ids.empty(); });
}

bool IsEmpty(const Filters& filters) {
  return !filters.focus && !filters.ignore && !filters.hide && !filters.show &&
         !filters.show_from && !filters.tag_focus && !filters.tag_ignore &&
         !filters.prune_from;
}

}  // namespace

absl::StatusOr<Profile> Filter(const Profile& profile, const Filters& filters) {
  if (absl::Status s = CheckValid(profile); !s.ok()) return s;
  if (IsEmpty(filters)) return profile;
  Profile part = profile;
  if (filters.focus) {
    LocationSet focus = MatchingLocations(part, filters.focus);
    KeepSamples(part, [&](const Sample& s) { return HasAny(s, focus); });
  }
  if (filters.ignore) {
    LocationSet ignore = MatchingLocations(part, filters.ignore);
    KeepSamples(part, [&](const Sample& s) { return !HasAny(s, ignore); });
  }
  if (filters.hide) DropFrames(part, filters.hide, /*drop_matching=*/true);
  if (filters.show) DropFrames(part, filters.show, /*drop_matching=*/false);
  if (filters.show_from) ShowFrom(part, filters.show_from);
  if (filters.tag_focus) KeepSamples(part, filters.tag_focus);
  if (filters.tag_ignore) {
    KeepSamples(part, [&](const Sample& s) { return !filters.tag_ignore(s); });
  }
  if (filters.prune_from) return PruneFrom(part, filters.prune_from);
  return Merge(absl::MakeConstSpan(&part, 1));
}

}  // namespace wallprof
