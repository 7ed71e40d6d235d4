#include "fleet/pgo/export/code_counts.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fleet/pgo/export/origin.h"
#include "fleet/pgo/profile/columns.h"
#include "profiler/profile/by_id.h"

namespace wallprof::pgo {
namespace {

// Of build ids, or names, that are told where none is the binary's.
constexpr size_t kMostTold = 4;

// Where a location is.
struct Place {
  std::optional<uint64_t> address;  // in the binary, before relocation
  std::string elsewhere;            // what is said of it, if not in it
};

class Counter {
 public:
  Counter(const Profile& profile, const symbolize::ElfImage& image,
          const std::string& path, Match match)
      : image_(image),
        build_id_(image.BuildId()),
        name_(FileNameOf(path)),
        match_(match),
        mappings_(profile.mappings),
        functions_(profile.functions) {
    for (const Location& location : profile.locations) {
      places_.emplace(location.id, PlaceOf(location));
    }
  }

  void Add(const Sample& sample) {
    const int64_t count = sample.values[kSamplesColumn];
    if (count == 0) return;
    counts_.total += count;
    if (sample.location_ids.empty()) {
      counts_.elsewhere["no frames"] += count;
      return;
    }
    const Place& leaf = places_.at(sample.location_ids.front());
    if (leaf.address) {
      counts_.matched += count;
      counts_.at[*leaf.address] += count;
    } else {
      counts_.elsewhere[leaf.elsewhere] += count;
    }
    AddCalls(sample, count);
  }

  // Whether a file of the profile is the binary.
  bool HasBinary(const Profile& profile) const {
    return std::any_of(
        profile.mappings.begin(), profile.mappings.end(),
        [this](const Mapping& mapping) { return IsBinary(mapping); });
  }

  CodeCounts Take() && { return std::move(counts_); }

 private:
  bool IsBinary(const Mapping& mapping) const {
    return match_ == Match::kName ? FileNameOf(mapping.filename) == name_
                                  : mapping.build_id == build_id_;
  }

  Place PlaceOf(const Location& location) const {
    const Mapping* mapping = mappings_.Find(location.mapping_id);
    if (location.address == 0)
      return {std::nullopt, PseudoOriginOf(location, functions_)};
    if (mapping == nullptr || !IsBinary(*mapping)) {
      return {std::nullopt, OriginOf(mapping)};
    }
    if (location.address < mapping->start ||
        location.address >= mapping->limit) {
      return {std::nullopt, "outside of the binary's mappings"};
    }
    const std::optional<uint64_t> address = image_.AddressOf(
        location.address - mapping->start + mapping->file_offset);
    if (!address) return {std::nullopt, "beyond the binary's segments"};
    return {address, ""};
  }

  void AddCalls(const Sample& sample, int64_t count) {
    std::set<std::pair<uint64_t, uint64_t>> seen;
    for (size_t i = 1; i < sample.location_ids.size(); ++i) {
      const Place& callee = places_.at(sample.location_ids[i - 1]);
      const Place& call = places_.at(sample.location_ids[i]);
      if (!callee.address || !call.address) continue;
      if (seen.emplace(*call.address, *callee.address).second) {
        counts_.calls[{*call.address, *callee.address}] += count;
      }
    }
  }

  const symbolize::ElfImage& image_;
  const std::string build_id_;
  const std::string name_;
  const Match match_;
  const ById<Mapping> mappings_;
  const ById<Function> functions_;
  absl::flat_hash_map<uint64_t, Place> places_;  // by id of the location
  CodeCounts counts_;
};

// What the profile's mappings are, as far as that says which file was loaded.
std::string Told(const Profile& profile, Match match) {
  std::set<std::string> known;
  std::vector<std::string> told;
  for (const Mapping& mapping : profile.mappings) {
    const std::string name = FileNameOf(mapping.filename);
    std::string one =
        match == Match::kName
            ? name
            : absl::StrCat(name.empty() ? "a file without a name" : name, " ",
                           mapping.build_id.empty() ? "(no build id)"
                                                    : mapping.build_id);
    if (one.empty() || !known.insert(one).second) continue;
    if (told.size() == kMostTold) {
      told.push_back("others");
      break;
    }
    told.push_back(std::move(one));
  }
  return told.empty() ? "no mappings" : absl::StrJoin(told, ", ");
}

absl::Status AllElsewhere(const CodeCounts& counts, const std::string& path) {
  if (counts.total == 0) {
    return absl::FailedPreconditionError(
        "the profile has no whole sample on a CPU");
  }
  const std::string places = absl::StrJoin(
      counts.elsewhere, ", ", [](std::string* out, const auto& place) {
        absl::StrAppend(out, place.first);
      });
  return absl::FailedPreconditionError(absl::StrCat(
      path,
      ": the profile is of this binary, but no sample is in its own "
      "code; all ",
      counts.total, " are elsewhere: ", places));
}

bool HasAddresses(const Profile& profile) {
  for (const Location& location : profile.locations) {
    if (location.address != 0 && location.mapping_id != 0) return true;
  }
  return false;
}

absl::Status NothingMatched(const Profile& profile,
                            const symbolize::ElfImage& image,
                            const std::string& path, Match match) {
  if (!HasAddresses(profile)) {
    return absl::FailedPreconditionError(
        "the profile has no addresses in files, by which code is found in a "
        "binary; one with functions and lines can be taken by them: --match "
        "lines");
  }
  if (match == Match::kName) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": no sample of the profile is in a file called ",
                     FileNameOf(path), "; it has ", Told(profile, match)));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": the profile is not of this binary, whose build id is ",
      image.BuildId(), "; it has ", Told(profile, match),
      ". Give the binary that was profiled, or take what still fits by "
      "functions and lines: --match lines; where you know that the addresses "
      "are right: --match name"));
}

}  // namespace

absl::Status KeepOnCpu(Profile& profile) {
  return KeepCpuColumns(profile, std::numeric_limits<int64_t>::max());
}

absl::StatusOr<CodeCounts> CountCode(const Profile& profile,
                                     const symbolize::ElfImage& image,
                                     const std::string& path, Match match) {
  if (match == Match::kBuildId && image.BuildId().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        ": the binary has no build id, so that nothing tells whether the "
        "profile is of it: link with -Wl,--build-id, or, where you know that "
        "it is, --match name"));
  }
  Counter counter(profile, image, path, match);
  for (const Sample& sample : profile.samples) counter.Add(sample);
  const bool has_binary = counter.HasBinary(profile);
  CodeCounts counts = std::move(counter).Take();
  if (counts.matched > 0) return counts;
  if (has_binary && HasAddresses(profile)) return AllElsewhere(counts, path);
  return NothingMatched(profile, image, path, match);
}

}  // namespace wallprof::pgo
