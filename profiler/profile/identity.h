// When entities of different profiles are the same thing, as pprof sees it.
// Mapping, location and function ids are meant to be those of the merged
// profile, and labels sorted.
#ifndef WALLPROF_PROFILER_PROFILE_IDENTITY_H_
#define WALLPROF_PROFILER_PROFILE_IDENTITY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "absl/hash/hash.h"
#include "wallprof/profile.h"

namespace wallprof {

// Sizes that differ by less than a page are the same file mapped twice.
inline constexpr uint64_t kPageSize = 0x1000;

// Size, offset and build id or else name: where it was mapped does not count.
inline auto IdentityOf(const Mapping& mapping) {
  uint64_t size = mapping.limit - mapping.start + kPageSize - 1;
  std::string_view file =
      mapping.build_id.empty() ? mapping.filename : mapping.build_id;
  return std::tuple(size - size % kPageSize, mapping.file_offset, file);
}

inline auto IdentityOf(const Function& function) {
  return std::tuple(function.start_line, std::string_view(function.name),
                    std::string_view(function.system_name),
                    std::string_view(function.filename));
}

inline auto IdentityOf(const Line& line) {
  return std::tuple(line.function_id, line.line, line.column);
}

inline auto IdentityOf(const Label& label) {
  return std::tuple(std::string_view(label.key), std::string_view(label.text),
                    label.number, std::string_view(label.unit));
}

template <typename Entity>
bool SameIdentity(const Entity& a, const Entity& b) {
  return IdentityOf(a) == IdentityOf(b);
}

template <typename Entity>
size_t HashIdentity(const Entity& entity) {
  return absl::HashOf(IdentityOf(entity));
}

inline bool SameIdentity(const Location& a, const Location& b) {
  return a.address == b.address && a.mapping_id == b.mapping_id &&
         a.is_folded == b.is_folded &&
         std::equal(a.lines.begin(), a.lines.end(), b.lines.begin(),
                    b.lines.end(), SameIdentity<Line>);
}

inline size_t HashIdentity(const Location& location) {
  size_t hash = absl::HashOf(location.address, location.mapping_id);
  for (const Line& line : location.lines) {
    hash = absl::HashOf(hash, IdentityOf(line));
  }
  return hash;
}

inline bool SameIdentity(const Sample& a, const Sample& b) {
  return a.location_ids == b.location_ids && a.labels == b.labels;
}

inline size_t HashIdentity(const Sample& sample) {
  size_t hash = absl::HashOf(sample.location_ids);
  for (const Label& label : sample.labels) {
    hash = absl::HashOf(hash, IdentityOf(label));
  }
  return hash;
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_IDENTITY_H_
