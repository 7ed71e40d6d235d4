#include "profiler/record/recorder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "profiler/threads/syscall_name.h"

namespace wallprof::record {
namespace {

using stacks::Losses;
using stacks::Measured;

// What slices and their dictionary may take of the recorder's memory, and the
// dictionary of the file; the rest is for the two snapshots that a slice is the
// difference of, and for making profiles.
constexpr size_t TimelineBytes(size_t bytes) { return bytes / 4 * 3; }
constexpr size_t FileDictionaryBytes(size_t bytes) { return bytes / 8; }

// The starts or ends of so many threads in one slice are told one by one.
constexpr size_t kMaxThreadEvents = 20;

// Ticks that come later than this on average are as good as left out: it is
// their period at 99 Hz.
constexpr int64_t kLateNs = 10'000'000;

constexpr std::pair<int64_t Losses::*, const char*> kLossNames[] = {
    {&Losses::overflow, "overflow"},
    {&Losses::masked, "masked"},
    {&Losses::small_stack, "small_stack"},
    {&Losses::late, "late"},
    {&Losses::unseen, "unseen"}};

std::string TimeText(int64_t wall_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(wall_ns),
                          absl::UTCTimeZone());
}

}  // namespace

Recorder::Recorder(const RecorderOptions& options, LabelSets label_sets,
                   ReadClocks clocks)
    : writes_(!options.directory.empty()),
      label_sets_(std::move(label_sets)),
      clocks_(std::move(clocks)),
      max_file_dictionary_bytes_(FileDictionaryBytes(options.memory_bytes)),
      timeline_(TimelineBytes(options.memory_bytes)),
      writer_(options.directory, options.directory_bytes),
      directory_(options.directory) {}

void Recorder::Add(const stacks::Recording& recording,
                   const stacks::Measurement& measurement) {
  const ClockReading now = clocks_();
  std::lock_guard lock(mutex_);
  const std::vector<Event> clock_events = clock_watch_.Observe(now);
  const bool clock_was_set = std::any_of(
      clock_events.begin(), clock_events.end(),
      [](const Event& event) { return event.kind == EventKind::kClockStep; });
  Slice slice = MakeSlice(measurement, now, clock_was_set);
  for (const Event& event : clock_events) {
    Note(event.wall_ns, event.kind, event.detail);
  }
  timeline_.dictionary().AddModules(recording);
  const std::vector<SliceSample> samples =
      Translate(recording, measurement.samples);
  SetSamples(samples, slice);
  SetSamples(Translate(recording, measurement.lock_waits), slice.lock_waits);
  NoteThreads(samples, slice);
  NoteLosses(slice);
  end_ns_ = slice.end_ns;
  end_wall_ns_ = slice.end_wall_ns;
  if (writes_) PrepareToWrite(slice);
  timeline_.Add(std::move(slice));
  added_.notify_all();
}

// The samples in terms of the dictionary, sorted by key.
std::vector<SliceSample> Recorder::Translate(
    const stacks::Recording& recording,
    const std::vector<Measured>& measured_samples) {
  Dictionary& dictionary = timeline_.dictionary();
  absl::flat_hash_map<uint32_t, uint32_t> stack_numbers;
  absl::flat_hash_map<uint32_t, uint32_t> thread_numbers;
  std::vector<SliceSample> samples;
  samples.reserve(measured_samples.size());
  const auto number_of = [&](stacks::StackId id) {
    const auto [stack, is_new] =
        stack_numbers.try_emplace(static_cast<uint32_t>(id));
    if (is_new) {
      stack->second = dictionary.AddStack(recording.table().Frames(id));
    }
    return stack->second;
  };
  for (const Measured& measured : measured_samples) {
    const stacks::SampleKey& from = measured.key;
    Key key;
    key.wait = from.wait;
    key.state = from.state;
    key.stack = number_of(from.stack);
    if (from.holder != stacks::kNoStack) key.holder = number_of(from.holder);
    const auto [thread, new_thread] = thread_numbers.try_emplace(from.thread);
    if (new_thread && from.thread < recording.thread_count()) {
      const stacks::ThreadRecord& record = recording.thread(from.thread);
      thread->second = dictionary.AddThread(
          {record.tid.load(std::memory_order_relaxed), record.Name()});
    }
    key.thread = thread->second;
    if (from.labels != 0) {
      key.labels = dictionary.AddLabels(label_sets_(from.labels));
    }
    samples.push_back({dictionary.AddKey(key), measured.counts});
  }
  // A thread's number may have been given to another: then keys meet.
  SortSamples(samples);
  return samples;
}

Slice Recorder::MakeSlice(const stacks::Measurement& measurement,
                          const ClockReading& now, bool clock_was_set) const {
  Slice slice;
  slice.start_ns = measurement.start_ns;
  slice.end_ns = measurement.end_ns;
  slice.end_wall_ns = now.WallOf(slice.end_ns);
  // Slices meet, whatever time servers correct, and whether or not the machine
  // slept; but for where the clock was set.
  slice.start_wall_ns = end_ns_ == slice.start_ns && !clock_was_set
                            ? end_wall_ns_
                            : now.WallOf(slice.start_ns);
  slice.ticks = measurement.ticks;
  slice.losses = measurement.losses;
  return slice;
}

// A living thread has wall time in every slice.
void Recorder::NoteThreads(const std::vector<SliceSample>& samples,
                           Slice& slice) {
  std::map<int64_t, std::string> threads;
  for (const SliceSample& sample : samples) {
    const ThreadIdentity& thread = timeline_.dictionary().thread(
        timeline_.dictionary().key(sample.key).thread);
    if (thread.tid != 0 && sample.counts.wall_ns > 0) {
      threads.try_emplace(thread.tid, thread.name);
    }
  }
  slice.threads = static_cast<uint32_t>(threads.size());
  const auto note_missing = [&](const auto& all, const auto& among,
                                EventKind kind) {
    std::vector<std::string> missing;
    for (const auto& [tid, name] : all) {
      if (among.count(tid) == 0)
        missing.push_back(absl::StrCat(tid, " ", name));
    }
    if (missing.size() > kMaxThreadEvents) {
      missing = {absl::StrCat(missing.size(), " of them")};
    }
    for (std::string& one : missing) {
      Note(slice.start_wall_ns, kind, std::move(one));
    }
  };
  // Before the first slice nobody looked.
  if (end_ns_ != 0) note_missing(threads, threads_, EventKind::kThreadStarted);
  note_missing(threads_, threads, EventKind::kThreadEnded);
  threads_ = std::move(threads);
}

// Losses are noted when they begin; how much was lost, slices tell.
void Recorder::NoteLosses(const Slice& slice) {
  std::vector<std::string> begun;
  for (const auto& [loss, name] : kLossNames) {
    if (slice.losses.*loss > 0 && losses_.*loss == 0) {
      begun.push_back(absl::StrCat(name, " ", slice.losses.*loss));
    }
  }
  if (!begun.empty()) {
    Note(slice.start_wall_ns, EventKind::kLoss, absl::StrJoin(begun, ", "));
  }
  if (slice.losses.late_ns > slice.ticks * kLateNs) {
    Note(slice.start_wall_ns, EventKind::kLate,
         absl::StrCat(slice.ticks, " ticks, late by ",
                      absl::FormatDuration(
                          absl::Trunc(absl::Nanoseconds(slice.losses.late_ns),
                                      absl::Milliseconds(1))),
                      " together"));
  }
  losses_ = slice.losses;
}

void Recorder::Note(int64_t wall_ns, EventKind kind, std::string detail) {
  Event event{wall_ns, kind, std::move(detail)};
  if (writes_) new_events_.push_back(event);
  timeline_.AddEvent(std::move(event));
}

// --- to disk -----------------------------------------------------------------

// Files have numbers of their own, so that each begins with no more names than
// its slices need.
void Recorder::PrepareToWrite(const Slice& slice) {
  if (key_map_generation_ != timeline_.generation()) key_map_.Forget();
  key_map_generation_ = timeline_.generation();
  Unwritten record;
  record.fresh = fresh_ || writer_.full() ||
                 file_dictionary_->bytes() > max_file_dictionary_bytes_;
  record.wall_ns = slice.end_wall_ns;
  if (record.fresh) {
    file_dictionary_ = std::make_unique<Dictionary>();
    written_ = file_dictionary_->extent();
    key_map_.Forget();
  }
  file_dictionary_->AddModules(timeline_.dictionary());
  const Slice translated =
      key_map_.Translated(slice, timeline_.dictionary(), *file_dictionary_);
  record.extent = file_dictionary_->extent();
  record.payload =
      EncodeRecord(*file_dictionary_, written_, translated, new_events_);
  unwritten_ = std::move(record);
}

void Recorder::Write() {
  std::optional<Unwritten> record;
  {
    std::lock_guard lock(mutex_);
    record.swap(unwritten_);
  }
  if (!record) return;
  const absl::Status status =
      writer_.Append(record->payload, record->fresh, record->wall_ns);
  std::lock_guard lock(mutex_);
  NoteWritten(*record, status);
}

void Recorder::NoteWritten(const Unwritten& record,
                           const absl::Status& status) {
  if (status.ok()) {
    written_ = record.extent;
    fresh_ = false;
    new_events_.clear();
    ++slices_written_;
    last_error_.clear();
    return;
  }
  if (record.fresh) fresh_ = true;
  ++slices_lost_;
  // What cannot be written waits in memory, within reason.
  if (new_events_.size() > kMaxThreadEvents) new_events_.clear();
  if (!last_error_.empty()) return;
  last_error_ = std::string(status.message());
  Note(record.wall_ns, EventKind::kSpool, last_error_);
}

// --- for others --------------------------------------------------------------

bool Recorder::AwaitUntil(int64_t monotonic_ns, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  return added_.wait_for(lock, absl::ToChronoMilliseconds(timeout),
                         [&] { return end_ns_ >= monotonic_ns; });
}

absl::StatusOr<Profile> Recorder::Past(const Interval& interval,
                                       const PastOptions& options) const {
  std::lock_guard lock(mutex_);
  std::vector<const Slice*> slices;
  for (const Slice& slice : timeline_.slices()) slices.push_back(&slice);
  const std::vector<const Slice*> found = SlicesIn(interval, slices);
  if (found.empty()) return NothingFrom(interval, slices);
  WindowOptions window;
  window.past = options;
  window.origin_wall_ns = found.front()->start_wall_ns;
  window.all_slices = found.size();
  return ProfileOf(timeline_.dictionary(), found, timeline_.events(),
                   threads::SyscallName, window);
}

Recorded Recorder::Describe() const {
  std::lock_guard lock(mutex_);
  Recorded recorded;
  for (const Slice& slice : timeline_.slices()) {
    recorded.slices.push_back({absl::FromUnixNanos(slice.start_wall_ns),
                               absl::FromUnixNanos(slice.end_wall_ns),
                               absl::Nanoseconds(slice.end_ns - slice.start_ns),
                               absl::Nanoseconds(slice.total.wall_ns),
                               absl::Nanoseconds(slice.total.cpu_ns),
                               slice.ticks, slice.threads});
  }
  for (const Event& event : timeline_.events()) {
    recorded.events.push_back({absl::FromUnixNanos(event.wall_ns),
                               EventKindName(event.kind), event.detail});
  }
  recorded.memory_bytes = BytesHeld();
  recorded.directory = directory_;
  recorded.slices_written = slices_written_;
  recorded.slices_lost = slices_lost_;
  recorded.last_error = last_error_;
  return recorded;
}

int64_t Recorder::memory_bytes() const {
  std::lock_guard lock(mutex_);
  return BytesHeld();
}

int64_t Recorder::BytesHeld() const {
  return static_cast<int64_t>(timeline_.bytes() + file_dictionary_->bytes() +
                              key_map_.bytes());
}

absl::Status NothingFrom(const Interval& interval,
                         const std::vector<const Slice*>& slices) {
  if (slices.empty()) {
    return absl::NotFoundError("Nothing has been recorded yet.");
  }
  return absl::NotFoundError(absl::StrCat(
      "Nothing is recorded from ", TimeText(absl::ToUnixNanos(interval.from)),
      " to ", TimeText(absl::ToUnixNanos(interval.to)),
      "; what there is is from ", TimeText(slices.front()->start_wall_ns),
      " to ", TimeText(slices.back()->end_wall_ns), "."));
}

}  // namespace wallprof::record
