// What a stored profile is called and described by.
#ifndef WALLPROF_FLEET_STORE_PROFILE_INFO_H_
#define WALLPROF_FLEET_STORE_PROFILE_INFO_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace wallprof::store {

// Keys and values, sorted by both. A key may be there more than once.
using Labels = std::vector<std::pair<std::string, std::string>>;

// What profiles of one origin have in common.
struct Series {
  std::string service;
  std::string type;  // "cpu", "wall", "heap", ...
  Labels labels;

  friend bool operator==(const Series&, const Series&) = default;
  friend auto operator<=>(const Series&, const Series&) = default;
};

struct ProfileInfo {
  // 26 characters of 0-9a-v, in whose order profiles of different seconds are
  // in the order of time.
  std::string id;
  Series series;
  absl::Time created_at;  // whole seconds
};

// The id of a profile, the same whenever it is sent again: of its second, and
// of `origin`, which tells it from all others.
std::string MakeProfileId(absl::Time created_at, std::string_view origin);

// The second that is in `id`; InfinitePast if it is no id.
absl::Time TimeOfProfileId(std::string_view id);

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_PROFILE_INFO_H_
