// The recorder of a profiler, in whichever process it runs: what joins the
// session, which measures, with the room that records.
#ifndef WALLPROF_PROFILER_RECORDER_THREAD_H_
#define WALLPROF_PROFILER_RECORDER_THREAD_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "profiler/capture/session.h"
#include "profiler/record/recorder.h"
#include "wallprof/profile.h"
#include "wallprof/recorder.h"

namespace wallprof {

class RecorderThread {
 public:
  explicit RecorderThread(record::RecorderOptions options);
  RecorderThread(const RecorderThread&) = delete;
  RecorderThread& operator=(const RecorderThread&) = delete;

  // What runs beside the session has ended.
  ~RecorderThread();

  // Records what `session` measures until it stops.
  void Run(capture::Session& session);

  // Not symbolized. NotFound when nothing is of that time. Thread-safe.
  absl::StatusOr<Profile> Between(capture::Session& session, absl::Time from,
                                  absl::Time to, const PastOptions& options);

  // Thread-safe.
  Recorded Describe() const;
  int64_t memory_bytes() const;

 private:
  // nullptr until the recorder of this process runs.
  record::Recorder* recorder() const;

  const record::RecorderOptions options_;
  // A forked child has the parent's, as it was in the midst of whatever it did,
  // and leaves it alone.
  std::atomic<record::Recorder*> recorder_{nullptr};
  std::atomic<pid_t> pid_{0};  // whose it is
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_RECORDER_THREAD_H_
