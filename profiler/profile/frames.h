// The frames that a reader sees: each location as the names of the functions
// inlined there, or as a place in a file where nothing is known of it. ';' and
// control characters, which would break a line or drive a terminal, are '_'.
#ifndef WALLPROF_PROFILER_PROFILE_FRAMES_H_
#define WALLPROF_PROFILER_PROFILE_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/profile/by_id.h"
#include "wallprof/profile.h"

namespace wallprof {

// Names, each once, numbered from 0.
class FrameNames {
 public:
  // Of `name` with '_' for what may not be in a frame.
  uint32_t NumberOf(std::string name);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  absl::flat_hash_map<std::string, uint32_t> numbers_;
};

class Frames {
 public:
  // `profile` must outlive this. With `lines`, a frame is followed by its place
  // where that is known: "serve(int) (server.cc:12)".
  explicit Frames(const Profile& profile, bool lines = false);

  // Appends the sample's frames to `stack`, root first.
  void AppendStack(const Sample& sample, std::vector<uint32_t>& stack) const;

  // Users add names that are no location's, such as a thread's.
  FrameNames& names() { return names_; }

 private:
  // Appends the frames of one location to `frames_`, outermost first.
  void AddLocation(const Location& location, const ById<Mapping>& mappings,
                   const ById<Function>& functions, bool lines);

  const std::vector<Location>& locations_;
  ById<Location> by_id_;
  FrameNames names_;
  std::vector<uint32_t> frames_;
  // Where in `frames_` those of each location begin; one more for the end.
  std::vector<size_t> begins_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_FRAMES_H_
