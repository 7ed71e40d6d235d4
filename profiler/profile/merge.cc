// Merges as pprof does, so that its users meet no surprise; it differs where
// pprof's code falls behind its documentation (the earliest time, columns).
#include "wallprof/merge.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "profiler/profile/by_id.h"
#include "profiler/profile/distinct.h"
#include "profiler/profile/identity.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/sample_types.h"
#include "profiler/profile/saturating.h"

namespace wallprof {
namespace {

absl::Status CheckCompatible(const Profile& a, const Profile& b) {
  if (a.period_type != b.period_type) {
    return absl::InvalidArgumentError(
        absl::StrCat("incompatible period types ", ToString(a.period_type),
                     " and ", ToString(b.period_type)));
  }
  if (a.sample_types != b.sample_types) {
    return absl::InvalidArgumentError(
        absl::StrCat("incompatible sample types ", ToString(a.sample_types),
                     " and ", ToString(b.sample_types)));
  }
  return absl::OkStatus();
}

// Everything but samples and what they refer to.
Profile CombineHeaders(absl::Span<const Profile> profiles) {
  Profile merged;
  merged.sample_types = profiles[0].sample_types;
  merged.drop_frames = profiles[0].drop_frames;
  merged.keep_frames = profiles[0].keep_frames;
  merged.period_type = profiles[0].period_type;
  absl::flat_hash_set<std::string> comments;
  for (const Profile& profile : profiles) {
    if (merged.time == absl::UnixEpoch() ||
        (profile.time != absl::UnixEpoch() && profile.time < merged.time)) {
      merged.time = profile.time;
    }
    merged.duration += profile.duration;
    merged.period = std::max(merged.period, profile.period);
    for (const std::string& comment : profile.comments) {
      if (comments.insert(comment).second) merged.comments.push_back(comment);
    }
    if (merged.default_sample_type.empty()) {
      merged.default_sample_type = profile.default_sample_type;
    }
    if (merged.doc_url.empty()) merged.doc_url = profile.doc_url;
  }
  return merged;
}

bool IsZero(const Sample& sample) {
  return std::all_of(sample.values.begin(), sample.values.end(),
                     [](int64_t value) { return value == 0; });
}

// The profile under construction.
class Merged {
 public:
  explicit Merged(Profile header)
      : profile_(std::move(header)),
        mappings_(profile_.mappings),
        locations_(profile_.locations),
        functions_(profile_.functions),
        samples_(profile_.samples) {}

  Merged(const Merged&) = delete;
  Merged& operator=(const Merged&) = delete;

  // Ids are given out on first sight.
  const Mapping& Add(Mapping mapping) {
    mapping.id = profile_.mappings.size() + 1;
    return profile_.mappings[mappings_.Add(std::move(mapping)).position];
  }
  uint64_t Add(Location location) {
    location.id = profile_.locations.size() + 1;
    return locations_.Add(std::move(location)).position + 1;
  }
  uint64_t Add(Function function) {
    function.id = profile_.functions.size() + 1;
    return functions_.Add(std::move(function)).position + 1;
  }
  void Add(Sample sample) {
    std::vector<int64_t> values = sample.values;
    auto [position, is_new] = samples_.Add(std::move(sample));
    if (is_new) return;
    std::vector<int64_t>& sums = profile_.samples[position].values;
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] = SaturatingAdd(sums[i], values[i]);
    }
  }

  bool has_mappings() const { return !profile_.mappings.empty(); }
  Profile Take() && { return std::move(profile_); }

 private:
  Profile profile_;
  Distinct<Mapping> mappings_;
  Distinct<Location> locations_;
  Distinct<Function> functions_;
  Distinct<Sample> samples_;
};

// One input and where its entities went.
class Source {
 public:
  Source(const Profile& profile, Merged& merged)
      : profile_(profile),
        merged_(merged),
        mappings_(profile.mappings),
        locations_(profile.locations),
        functions_(profile.functions),
        moved_(profile.mappings.size()),
        location_ids_(profile.locations.size()),
        function_ids_(profile.functions.size()) {}

  void AddAll() {
    // The first mapping is that of the main binary, by convention, and keeps
    // its place even if no sample leads to it.
    if (!merged_.has_mappings() && !profile_.mappings.empty()) {
      Move(profile_.mappings[0].id);
    }
    for (const Sample& sample : profile_.samples) {
      if (!IsZero(sample)) AddSample(sample);
    }
  }

 private:
  // Where a mapping went, and what to add to addresses in it.
  struct Moved {
    uint64_t id = 0;  // 0: not yet, or no mapping
    uint64_t shift = 0;
  };

  void AddSample(const Sample& sample) {
    Sample copy = sample;
    for (uint64_t& id : copy.location_ids) id = MergedLocation(id);
    SortLabels(copy.labels);
    merged_.Add(std::move(copy));
  }

  uint64_t MergedLocation(uint64_t id) {
    const Location* location = locations_.Find(id);
    uint64_t& merged_id = location_ids_[location - profile_.locations.data()];
    if (merged_id == 0) {
      Location copy = *location;
      Moved moved = Move(location->mapping_id);
      copy.mapping_id = moved.id;
      copy.address += moved.shift;
      for (Line& line : copy.lines) {
        line.function_id = MergedFunction(line.function_id);
      }
      merged_id = merged_.Add(std::move(copy));
    }
    return merged_id;
  }

  Moved Move(uint64_t id) {
    if (id == 0) return {};
    const Mapping* mapping = mappings_.Find(id);
    Moved& moved = moved_[mapping - profile_.mappings.data()];
    if (moved.id == 0) {
      const Mapping& kept = merged_.Add(*mapping);
      moved = {kept.id, kept.start - mapping->start};
    }
    return moved;
  }

  uint64_t MergedFunction(uint64_t id) {
    const Function* function = functions_.Find(id);
    uint64_t& merged_id = function_ids_[function - profile_.functions.data()];
    if (merged_id == 0) merged_id = merged_.Add(*function);
    return merged_id;
  }

  const Profile& profile_;
  Merged& merged_;
  ById<Mapping> mappings_;
  ById<Location> locations_;
  ById<Function> functions_;
  // By place in the profile's lists.
  std::vector<Moved> moved_;
  std::vector<uint64_t> location_ids_;
  std::vector<uint64_t> function_ids_;
};

}  // namespace

absl::StatusOr<Profile> Merge(absl::Span<const Profile> profiles) {
  if (profiles.empty()) {
    return absl::InvalidArgumentError("no profiles to merge");
  }
  for (const Profile& profile : profiles) {
    absl::Status s = CheckCompatible(profiles[0], profile);
    if (s.ok()) s = CheckValid(profile);
    if (!s.ok()) return s;
  }
  Merged merged(CombineHeaders(profiles));
  for (const Profile& profile : profiles) Source(profile, merged).AddAll();
  Profile result = std::move(merged).Take();
  // What only samples that cancelled out led to has to go with them.
  if (std::any_of(result.samples.begin(), result.samples.end(), IsZero)) {
    return Merge(absl::MakeConstSpan(&result, 1));
  }
  return result;
}

}  // namespace wallprof
