#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "profiler/profile/labels.h"
#include "wallprof/filter.h"

namespace wallprof {
namespace {

// Ids of a profile need not be dense.
template <typename Entity>
uint64_t FreeId(const std::vector<Entity>& entities) {
  uint64_t highest = 0;
  for (const Entity& entity : entities) highest = std::max(highest, entity.id);
  return highest + 1;
}

}  // namespace

Profile WithLabelFrames(Profile profile,
                        absl::Span<const std::string_view> keys) {
  absl::flat_hash_map<std::string, uint64_t> locations;
  uint64_t next_function = FreeId(profile.functions);
  uint64_t next_location = FreeId(profile.locations);
  for (Sample& sample : profile.samples) {
    std::string name;
    for (const std::string_view key : keys) {
      const std::string text(LabelText(sample, key));
      if (text.empty()) continue;
      absl::StrAppend(&name, name.empty() ? "" : " ", text);
    }
    if (name.empty()) continue;
    name = absl::StrCat("[", name, "]");
    const auto [location, is_new] = locations.try_emplace(name, next_location);
    if (is_new) {
      Function function;
      function.id = next_function++;
      function.name = name;
      function.system_name = name;
      profile.functions.push_back(std::move(function));
      Location frame;
      frame.id = next_location++;
      frame.lines.push_back({profile.functions.back().id});
      profile.locations.push_back(std::move(frame));
    }
    sample.location_ids.insert(sample.location_ids.begin(), location->second);
  }
  return profile;
}

}  // namespace wallprof
