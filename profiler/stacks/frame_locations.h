// The locations of a profile that is made of frames.
#ifndef WALLPROF_PROFILER_STACKS_FRAME_LOCATIONS_H_
#define WALLPROF_PROFILER_STACKS_FRAME_LOCATIONS_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "profiler/stacks/frame.h"
#include "wallprof/profile.h"

namespace wallprof::stacks {

// Adds mappings, locations and functions to a profile, which must outlive it
// and get them from nobody else. Frames of code become locations without lines;
// pseudo-frames have their names.
class FrameLocations {
 public:
  explicit FrameLocations(Profile& profile) : profile_(profile) {}

  // Mapping's id is its module's; modules come in the order of their ids,
  // from 1 on, and before all frames.
  void AddModule(Mapping mapping) {
    profile_.mappings.push_back(std::move(mapping));
  }

  // The id of the frame's location.
  uint64_t Of(Frame frame);

  // Frames as they are in the table: leaf first, as in a sample.
  void Append(absl::Span<const Frame> frames, Sample& sample);

 private:
  Profile& profile_;
  absl::flat_hash_map<uint64_t, uint64_t> locations_;  // by frame
};

}  // namespace wallprof::stacks

#endif  // WALLPROF_PROFILER_STACKS_FRAME_LOCATIONS_H_
