#include "profiler/capture/slice_reader.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "profiler/threads/clock.h"

namespace wallprof::capture {
namespace {

// How often the table's fullness is looked at. A program that fills what is
// left of it in less time loses stacks to [overflow], with or without us.
constexpr absl::Duration kFullnessPoll = absl::Milliseconds(250);

}  // namespace

SliceReader::SliceReader(Session& session)
    : session_(session), reader_(session, 0) {}

absl::Status SliceReader::Next(absl::Duration length, const Use& use) {
  if (!start_) {
    // The first tick shows which threads there are.
    auto first = session_.SnapshotFrom(1, nullptr);
    if (!first.ok()) return first.status();
    start_ = *std::move(first);
  }
  const int64_t length_ns = absl::ToInt64Nanoseconds(length);
  const int64_t end_ns = (start_->time_ns / length_ns + 1) * length_ns;
  absl::Status status;
  switch (WaitForBorder(end_ns)) {
    case Border::kTime:
      status = MeasureTo(end_ns, use);
      break;
    case Border::kAsked:
      status = MeasureTo(start_->time_ns + 1, use);
      break;
    case Border::kFull:
      status = MeasureAndEmpty(use);
      break;
    case Border::kStopped:
      status = absl::CancelledError("the profiler has stopped");
      break;
  }
  if (absl::IsCancelled(status)) Finish(use);
  return status;
}

SliceReader::Border SliceReader::WaitForBorder(int64_t time_ns) {
  std::unique_lock lock(session_.mutex_);
  for (;;) {
    if (session_.stopping_) return Border::kStopped;
    if (std::exchange(session_.slice_end_wanted_, false)) return Border::kAsked;
    // Where others measure too, it is emptied when they are done.
    if (session_.MayBeEmptied() && session_.rates_.size() == 1) {
      return Border::kFull;
    }
    const absl::Duration left =
        absl::Nanoseconds(time_ns - threads::MonotonicNs());
    if (left <= absl::ZeroDuration()) return Border::kTime;
    session_.stopped_.wait_for(
        lock, absl::ToChronoMicroseconds(std::min(left, kFullnessPoll)));
  }
}

absl::Status SliceReader::MeasureTo(int64_t time_ns, const Use& use) {
  auto end = session_.SnapshotFrom(time_ns, nullptr);
  if (!end.ok()) return end.status();
  Give(*std::move(end), use);
  return absl::OkStatus();
}

// On the sampler's thread, so that there is no tick between the end of the
// slice and the emptied table, where the next one begins.
absl::Status SliceReader::MeasureAndEmpty(const Use& use) {
  const Session::ScopedEveryone everyone(session_, 0);
  bool measured = false;
  while (!measured) {
    const int64_t after_ns =
        std::max(start_->time_ns, session_.recording_->last_tick_ns());
    absl::Status status = session_.WaitForTick(after_ns + 1, nullptr);
    if (!status.ok()) return status;
    status = session_.RunOnSampler([&](AnySampler& sampler) {
      stacks::Snapshot end = stacks::TakeSnapshot(*session_.recording_);
      if (!end.whole) return;
      Give(std::move(end), use);
      measured = true;
      std::lock_guard lock(session_.mutex_);
      if (session_.rates_.size() > 1) return;
      sampler.ClearTable();
      start_ = stacks::TakeSnapshot(*session_.recording_);
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// What was measured until the profiler stopped.
void SliceReader::Finish(const Use& use) {
  stacks::Snapshot end = stacks::TakeSnapshot(*session_.recording_);
  if (end.time_ns > start_->time_ns) Give(std::move(end), use);
}

void SliceReader::Give(stacks::Snapshot end, const Use& use) {
  use(stacks::Difference(*session_.recording_, *start_, end,
                         session_.NotSampled()));
  start_ = std::move(end);
}

}  // namespace wallprof::capture
