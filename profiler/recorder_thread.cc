#include "profiler/recorder_thread.h"

#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"
#include "profiler/capture/slice_reader.h"
#include "profiler/record/window.h"
#include "profiler/threads/label_registry.h"

namespace wallprof {
namespace {

// A slice that ends now takes a tick and a snapshot; more, where threads of
// ours hardly get to run.
constexpr absl::Duration kSliceTimeout = absl::Seconds(2);

record::LabelTexts ProgramLabels(uint32_t set) {
  return threads::LabelRegistry::Get().Labels(set);
}

}  // namespace

RecorderThread::RecorderThread(record::RecorderOptions options)
    : options_(std::move(options)) {}

RecorderThread::~RecorderThread() { delete recorder(); }

record::Recorder* RecorderThread::recorder() const {
  return pid_ == getpid() ? recorder_.load() : nullptr;
}

void RecorderThread::Run(capture::Session& session) {
  record::Recorder& recorder = *new record::Recorder(options_, ProgramLabels);
  recorder_ = &recorder;
  pid_ = getpid();
  capture::SliceReader reader(session);
  absl::Status status;
  while (status.ok()) {
    status = reader.Next(record::kSliceLength,
                         [&](const stacks::Measurement& measurement) {
                           recorder.Add(session.recording(), measurement);
                         });
    recorder.Write();
  }
}

absl::StatusOr<Profile> RecorderThread::Between(capture::Session& session,
                                                absl::Time from, absl::Time to,
                                                const PastOptions& options) {
  record::Recorder* recorder = this->recorder();
  if (recorder == nullptr) {
    return absl::NotFoundError("Nothing has been recorded yet.");
  }
  if (to > absl::Now() - record::kSliceLength) {
    // The slice under way may be wanted too.
    const int64_t last_tick_ns = session.recording().last_tick_ns();
    session.EndSlice();
    recorder->AwaitUntil(last_tick_ns, kSliceTimeout);
  }
  return recorder->Past({from, to}, options);
}

Recorded RecorderThread::Describe() const {
  const record::Recorder* recorder = this->recorder();
  return recorder == nullptr ? Recorded{} : recorder->Describe();
}

int64_t RecorderThread::memory_bytes() const {
  const record::Recorder* recorder = this->recorder();
  return recorder == nullptr ? 0 : recorder->memory_bytes();
}

}  // namespace wallprof
