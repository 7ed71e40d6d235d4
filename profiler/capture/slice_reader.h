// Measures all the time, in slices that meet: what a recorder does.
//
// One that measures keeps the table from being emptied; this one is always
// there, so it has it emptied itself, between two slices.
#ifndef WALLPROF_PROFILER_CAPTURE_SLICE_READER_H_
#define WALLPROF_PROFILER_CAPTURE_SLICE_READER_H_

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "profiler/capture/scoped_reader.h"
#include "profiler/capture/session.h"
#include "profiler/stacks/snapshot.h"

namespace wallprof::capture {

// For one thread.
class SliceReader {
 public:
  using Use = std::function<void(const stacks::Measurement&)>;

  // `session` must outlive it.
  explicit SliceReader(Session& session);

  // Measures from where the last slice ended (at first, from the last tick) to
  // the next multiple of `length` on CLOCK_MONOTONIC, or until somebody calls
  // Session::EndSlice, the table is nearly full, or the profiler stops: to the
  // first tick from then on that looked at everyone. Gives `use` the result
  // while the recording still holds its stacks; mostly on the calling thread,
  // but on the sampler's, between two ticks, when the table is then emptied:
  // where a thread's look then stood, half a tick of its time is not counted.
  //
  // Cancelled when the profiler has stopped; `use` had the last slice, up to
  // the last tick.
  absl::Status Next(absl::Duration length, const Use& use);

 private:
  enum class Border { kTime, kAsked, kFull, kStopped };

  Border WaitForBorder(int64_t time_ns);
  absl::Status MeasureTo(int64_t time_ns, const Use& use);
  absl::Status MeasureAndEmpty(const Use& use);
  void Finish(const Use& use);
  void Give(stacks::Snapshot end, const Use& use);

  Session& session_;
  const Session::ScopedReader reader_;
  std::optional<stacks::Snapshot> start_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SLICE_READER_H_
