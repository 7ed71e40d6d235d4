// The last day of a program: what Profiler keeps when Options::record is set,
// so that a profile can be had of a time that has passed.
//
//   wallprof::Options options;
//   options.record = true;
//   ...
//   const absl::Time now = absl::Now();
//   absl::StatusOr<wallprof::Profile> profile =
//       profiler->Past(now - absl::Minutes(10), now - absl::Minutes(5));
//
// Slices are ten seconds long in the last hour, a minute before that, and ten
// minutes from six hours to a day ago.
#ifndef WALLPROF_RECORDER_H_
#define WALLPROF_RECORDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/merge.h"
#include "wallprof/profile.h"

namespace wallprof {

// What of the past is wanted, and how.
struct PastOptions {
  // kBlockedBy: the waits for locks, as CollectOptions has it. Any other view
  // is had from the wall profile that is given then, by SelectView.
  View view = View::kWall;

  // Keeps slices apart, for formats that show time as it passed: samples then
  // have the numeric labels `slice_start`, in nanoseconds after Profile::time,
  // and `slice_length`. Where there would be too many, neighbouring slices are
  // joined, and the less heavy stacks of a slice are one for each thread.
  bool slices_apart = false;
};

// A stretch of time that was recorded. Times are of the realtime clock;
// `duration` is without the machine's sleep.
struct RecordedSlice {
  absl::Time start;
  absl::Time end;
  absl::Duration duration;
  absl::Duration wall;  // of all threads together
  absl::Duration cpu;
  int64_t ticks = 0;
  int64_t threads = 0;
};

struct RecordedEvent {
  absl::Time time;
  std::string kind;  // "thread started", "clock set", "suspended", ...
  std::string detail;
};

// What is recorded, the oldest first, and what it takes.
struct Recorded {
  std::vector<RecordedSlice> slices;
  std::vector<RecordedEvent> events;
  int64_t memory_bytes = 0;
  std::string directory;       // where slices are written to; empty: nowhere
  int64_t slices_written = 0;  // there
  int64_t slices_lost = 0;     // that could not be written
  std::string last_error;      // why; empty once writing goes well again
};

// A time as people write it: "-10m" (before `now`; s, m or h), RFC 3339
// ("2026-01-02T03:04:05Z"), or seconds since 1970 ("1767323045.5").
// InvalidArgument for anything else.
absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now);

// The profile of [from, to) of what programs wrote to `directory`
// (Options::record_dir), symbolized from the files on disk by build id. Labels
// and threads as Profiler::Past gives them. What is torn or corrupt is left
// out, with a sentence in `problems` that names file and offset. NotFound, with
// a sentence that says what there is, when nothing is of that time.
absl::StatusOr<Profile> ReadRecorded(const std::string& directory,
                                     absl::Time from, absl::Time to,
                                     std::vector<std::string>& problems,
                                     const PastOptions& options = {});

}  // namespace wallprof

#endif  // WALLPROF_RECORDER_H_
