#include "fleet/pgo/profile/addresses.h"

#include "absl/container/flat_hash_map.h"

namespace wallprof::pgo {

void MoveToFileAddresses(Profile& profile) {
  absl::flat_hash_map<uint64_t, const Mapping*> mappings;
  for (const Mapping& mapping : profile.mappings) {
    mappings.emplace(mapping.id, &mapping);
  }
  for (Location& location : profile.locations) {
    const auto found = mappings.find(location.mapping_id);
    if (found == mappings.end()) continue;
    const Mapping& mapping = *found->second;
    if (location.address < mapping.start || location.address >= mapping.limit) {
      continue;
    }
    location.address +=
        ShiftToFile(mapping.start, mapping.limit, mapping.file_offset);
  }
  for (Mapping& mapping : profile.mappings) {
    const uint64_t shift =
        ShiftToFile(mapping.start, mapping.limit, mapping.file_offset);
    mapping.start += shift;
    mapping.limit += shift;
  }
}

}  // namespace wallprof::pgo
