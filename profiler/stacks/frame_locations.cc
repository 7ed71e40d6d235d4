#include "profiler/stacks/frame_locations.h"

#include <utility>

namespace wallprof::stacks {

uint64_t FrameLocations::Of(Frame frame) {
  const auto [found, is_new] =
      locations_.try_emplace(frame.bits(), profile_.locations.size() + 1);
  if (!is_new) return found->second;
  Location location;
  location.id = found->second;
  if (frame.is_pseudo()) {
    Function function;
    function.id = profile_.functions.size() + 1;
    function.name = PseudoFrameName(frame.pseudo());
    function.system_name = function.name;
    location.lines.push_back({function.id});
    profile_.functions.push_back(std::move(function));
  } else {
    location.address = frame.offset();
    if (frame.module() > 0 && frame.module() <= profile_.mappings.size()) {
      location.mapping_id = frame.module();
      location.address += profile_.mappings[frame.module() - 1].start;
    }
  }
  profile_.locations.push_back(std::move(location));
  return profile_.locations.back().id;
}

void FrameLocations::Append(absl::Span<const Frame> frames, Sample& sample) {
  for (const Frame frame : frames) sample.location_ids.push_back(Of(frame));
}

}  // namespace wallprof::stacks
