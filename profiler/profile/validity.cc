// pprof's rules for a profile, in its words: users search the web for them.
#include "absl/strings/str_cat.h"
#include "profiler/profile/by_id.h"
#include "wallprof/profile.h"

namespace wallprof {
namespace {

absl::Status CheckSamples(const Profile& profile,
                          const ById<Location>& locations) {
  size_t types = profile.sample_types.size();
  if (types == 0 && !profile.samples.empty()) {
    return absl::InvalidArgumentError("missing sample type information");
  }
  for (const Sample& sample : profile.samples) {
    if (sample.values.size() != types) {
      return absl::InvalidArgumentError(
          absl::StrCat("mismatch: sample has ", sample.values.size(),
                       " values vs. ", types, " types"));
    }
    for (uint64_t id : sample.location_ids) {
      if (id == 0 || locations.Find(id) == nullptr) {
        return absl::InvalidArgumentError("sample has nil location");
      }
    }
  }
  return absl::OkStatus();
}

// `reserved` is how pprof spells 0 for this kind: "ID=0" or "id=0".
template <typename Entity>
absl::Status CheckId(const Entity& entity, const ById<Entity>& all,
                     absl::string_view kind, absl::string_view reserved) {
  if (entity.id == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("found ", kind, " with reserved ", reserved));
  }
  if (all.Find(entity.id) != &entity) {
    return absl::InvalidArgumentError(
        absl::StrCat("multiple ", kind, "s with same id: ", entity.id));
  }
  return absl::OkStatus();
}

absl::Status CheckReferences(const Location& location,
                             const ById<Mapping>& mappings,
                             const ById<Function>& functions) {
  if (location.mapping_id != 0 &&
      mappings.Find(location.mapping_id) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("inconsistent mapping: ", location.mapping_id));
  }
  for (const Line& line : location.lines) {
    if (line.function_id == 0 || functions.Find(line.function_id) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "location id: ", location.id, " has a line with nil function"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckValid(const Profile& profile) {
  ById<Mapping> mappings(profile.mappings);
  ById<Function> functions(profile.functions);
  ById<Location> locations(profile.locations);
  if (absl::Status s = CheckSamples(profile, locations); !s.ok()) return s;
  for (const Mapping& mapping : profile.mappings) {
    absl::Status s = CheckId(mapping, mappings, "mapping", "ID=0");
    if (!s.ok()) return s;
  }
  for (const Function& function : profile.functions) {
    absl::Status s = CheckId(function, functions, "function", "ID=0");
    if (!s.ok()) return s;
  }
  for (const Location& location : profile.locations) {
    absl::Status s = CheckId(location, locations, "location", "id=0");
    if (s.ok()) s = CheckReferences(location, mappings, functions);
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace wallprof
