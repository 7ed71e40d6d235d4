// A profiler whose recording another process reads: how the preload library
// leaves a profile that survives whatever ends the program.
//
// The reader makes a file in memory, hands its path to the program, and after
// the program's end, by exit or by kill, makes the profile from it.
#ifndef WALLPROF_PROFILER_RECORDED_PROFILER_H_
#define WALLPROF_PROFILER_RECORDED_PROFILER_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "wallprof/profile.h"
#include "wallprof/profiler.h"

namespace wallprof {

class RecordedProfiler {
 public:
  struct Where {
    // Descriptor of the file that the recording is made in; -1: in anonymous
    // memory. It may be closed when Start has returned.
    int file = -1;
    // Nothing is forgotten while the program runs; when the table is full,
    // what is new is counted under [overflow].
    bool keep_everything = false;
    // Threads of ours do not end before the process does. Where the program has
    // a libc, and perhaps an allocator, that does not learn of their end.
    bool keep_threads = false;
  };

  static absl::StatusOr<std::unique_ptr<Profiler>> Start(const Options& options,
                                                         const Where& where);

  // The profile of all that the recording in `file` holds, as Snapshot gives it
  // for `view`. NotFound when nothing was recorded.
  static absl::StatusOr<Profile> Read(int file, std::optional<View> view);
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_RECORDED_PROFILER_H_
