// What a NameMatch says of a profile's frames; each name is asked about once.
#ifndef WALLPROF_PROFILER_PROFILE_NAME_MATCHES_H_
#define WALLPROF_PROFILER_PROFILE_NAME_MATCHES_H_

#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "wallprof/filter.h"
#include "wallprof/profile.h"

namespace wallprof {

class NameMatches {
 public:
  NameMatches(const Profile& profile, const NameMatch& match) {
    for (const Function& function : profile.functions) {
      if (match(function.name) || match(function.filename)) {
        functions_.insert(function.id);
      }
    }
    for (const Mapping& mapping : profile.mappings) {
      if (match(mapping.filename)) mappings_.insert(mapping.id);
    }
  }

  bool Matches(const Line& line) const {
    return functions_.contains(line.function_id);
  }

  // Whether the file that is mapped there matches.
  bool MatchesFile(const Location& location) const {
    return mappings_.contains(location.mapping_id);
  }

  // Whether the file or any of the functions there does.
  bool Matches(const Location& location) const {
    if (MatchesFile(location)) return true;
    for (const Line& line : location.lines) {
      if (Matches(line)) return true;
    }
    return false;
  }

 private:
  absl::flat_hash_set<uint64_t> functions_;
  absl::flat_hash_set<uint64_t> mappings_;
};

// Some of a profile's locations.
class LocationSet {
 public:
  void Add(uint64_t id) { ids_.insert(id); }
  bool Has(uint64_t id) const { return ids_.contains(id); }

 private:
  absl::flat_hash_set<uint64_t> ids_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_NAME_MATCHES_H_
