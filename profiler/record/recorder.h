// Takes slices as they are measured, keeps them, and answers for the past.
//
//   slices ──> Add ──> Timeline ──> Past, Describe
//               └────> Write ──> files
//
// One thread adds and writes; any number ask.
#ifndef WALLPROF_PROFILER_RECORD_RECORDER_H_
#define WALLPROF_PROFILER_RECORD_RECORDER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "profiler/record/clocks.h"
#include "profiler/record/key_map.h"
#include "profiler/record/spool.h"
#include "profiler/record/timeline.h"
#include "profiler/record/window.h"
#include "profiler/stacks/recording.h"
#include "profiler/stacks/snapshot.h"
#include "wallprof/profile.h"
#include "wallprof/recorder.h"

namespace wallprof::record {

struct RecorderOptions {
  size_t memory_bytes = 0;  // bound on what it keeps and works with
  std::string directory;    // empty: nothing is written
  int64_t directory_bytes = 0;
};

// The program's labels of a label set.
using LabelSets = std::function<LabelTexts(uint32_t)>;

class Recorder {
 public:
  Recorder(const RecorderOptions& options, LabelSets label_sets,
           ReadClocks clocks = ReadSystemClocks);

  // Adds what was measured, while `recording` still holds its stacks. Each
  // measurement begins where the one before ended.
  void Add(const stacks::Recording& recording,
           const stacks::Measurement& measurement);

  // Writes what was added last to disk, if it is to be written.
  void Write();

  // Waits until what was measured up to `monotonic_ns` has been added; false
  // if that takes longer than `timeout`.
  bool AwaitUntil(int64_t monotonic_ns, absl::Duration timeout);

  // The profile of an interval, not symbolized. NotFound, with a sentence that
  // says what there is, when nothing is of that time.
  absl::StatusOr<Profile> Past(const Interval& interval,
                               const PastOptions& options = {}) const;

  Recorded Describe() const;

  int64_t memory_bytes() const;

 private:
  // A record that is to be written.
  struct Unwritten {
    std::string payload;
    Dictionary::Extent extent;  // of the file, once it is written
    bool fresh;
    int64_t wall_ns;
  };

  std::vector<SliceSample> Translate(
      const stacks::Recording& recording,
      const std::vector<stacks::Measured>& samples);
  Slice MakeSlice(const stacks::Measurement& measurement,
                  const ClockReading& now, bool clock_was_set) const;
  void NoteThreads(const std::vector<SliceSample>& samples, Slice& slice);
  void NoteLosses(const Slice& slice);
  void Note(int64_t wall_ns, EventKind kind, std::string detail);
  void NoteWritten(const Unwritten& record, const absl::Status& status);
  void PrepareToWrite(const Slice& slice);
  int64_t BytesHeld() const;

  const bool writes_;
  const LabelSets label_sets_;
  const ReadClocks clocks_;
  const size_t max_file_dictionary_bytes_;

  mutable std::mutex mutex_;  // guards what follows, up to `writer_`
  std::condition_variable added_;
  Timeline timeline_;
  ClockWatch clock_watch_;
  std::map<int64_t, std::string> threads_;  // of the last slice, by tid
  stacks::Losses losses_;                   // of the last slice
  int64_t end_ns_ = 0;                      // of the last slice
  int64_t end_wall_ns_ = 0;
  std::vector<Event> new_events_;  // not yet encoded for the disk
  std::optional<Unwritten> unwritten_;
  bool fresh_ = true;  // the next record begins a file
  std::unique_ptr<Dictionary> file_dictionary_ = std::make_unique<Dictionary>();
  Dictionary::Extent written_;  // what of it the file has
  KeyMap key_map_;              // from the timeline's to the file's
  int64_t key_map_generation_ = 0;
  int64_t slices_written_ = 0;
  int64_t slices_lost_ = 0;
  std::string last_error_;

  SpoolWriter writer_;  // of the thread that writes
  std::string directory_;
};

// NotFound: nothing of `slices` is of the interval.
absl::Status NothingFrom(const Interval& interval,
                         const std::vector<const Slice*>& slices);

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_RECORDER_H_
