#include "fleet/pgo/base/worker.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/worker_state.h"
#include "fleet/pgo/events/event.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

// How long an event is waited for before it is asked what else there is to do.
constexpr absl::Duration kPatience = absl::Seconds(5);

// An engine that is away is tried again after so long, and twice as long each
// time.
constexpr absl::Duration kFirstWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestWait = absl::Seconds(10);
constexpr int kMaxDoublings = 10;

// A sweep that did not get through begins again after so long.
constexpr absl::Duration kSweepAgain = absl::Seconds(2);

constexpr char kQuarantineStep[] = "/quarantine/";

constexpr absl::Duration kAsking = absl::Milliseconds(100);

absl::Duration After(absl::Duration first, int failures,
                     absl::Duration longest) {
  return std::min(first * (1 << std::min(failures, kMaxDoublings)), longest);
}

// The staged profile that an event is about; nullopt where it makes no sense.
std::optional<int64_t> IdOf(const Event& event) {
  const std::optional<StagedName> name = ParseStagingKey(event.profile_key);
  if (!name.has_value() || name->app != event.app ||
      StagingKey(name->app, name->unix_nanoseconds) != event.profile_key) {
    return std::nullopt;
  }
  return name->unix_nanoseconds;
}

// Whether the key is that of a profile of before `time` that could not be
// merged, or of what says why.
bool WasPutAsideBefore(std::string_view key, absl::Time time) {
  std::string staging(key.substr(0, key.find('.')));
  const size_t at = staging.find(kQuarantineStep);
  if (at == std::string::npos) return false;
  staging.replace(at, sizeof(kQuarantineStep) - 1, "/staging/");
  const std::optional<StagedName> name = ParseStagingKey(staging);
  return name.has_value() &&
         QuarantineKey(staging) == key.substr(0, key.find('.')) &&
         absl::FromUnixNanos(name->unix_nanoseconds) < time;
}

}  // namespace

Worker::Worker(BaseStore& store, EventReader& reader, EventWriter& writer,
               WorkerOptions options)
    : state_(
          std::make_unique<State>(store, reader, writer, std::move(options))) {}

Worker::~Worker() = default;

void Worker::Run(const std::function<bool()>& stopping) {
  state_->Run(stopping);
}

absl::Status Worker::Sweep() { return state_->Sweep(); }

void Worker::SetRules(PruneRules rules) { state_->SetRules(std::move(rules)); }

WorkerCounts Worker::counts() const { return state_->counts(); }

void Worker::State::SetRules(PruneRules rules) {
  auto shared = std::make_shared<const PruneRules>(std::move(rules));
  const std::lock_guard<std::mutex> lock(rules_mutex_);
  rules_ = std::move(shared);
}

WorkerCounts Worker::State::counts() const {
  return {merged_, duplicates_, quarantined_, conflicts_, deleted_, failures_};
}

void Worker::State::Run(const std::function<bool()>& stopping) {
  stopping_ = stopping;
  while (!this->stopping()) {
    SweepInTime();
    if (this->stopping()) break;
    HeedNext(std::min(kPatience, next_sweep_ - absl::Now()));
  }
  stopping_ = nullptr;
}

void Worker::State::SweepInTime() {
  if (absl::Now() < next_sweep_) return;
  const absl::Status swept = Sweep();
  if (swept.ok()) {
    failed_sweeps_ = 0;
    next_sweep_ = absl::Now() + options_.sweep_period;
    return;
  }
  ++failures_;
  next_sweep_ =
      absl::Now() + After(kSweepAgain, failed_sweeps_++, options_.sweep_period);
}

void Worker::State::Wait(absl::Duration duration) const {
  const absl::Time until = absl::Now() + duration;
  for (absl::Time now = absl::Now(); now < until && !stopping();
       now = absl::Now()) {
    absl::SleepFor(std::min(kAsking, until - now));
  }
}

void Worker::State::HeedNext(absl::Duration patience) {
  absl::StatusOr<std::unique_ptr<Delivery>> delivery =
      reader_.Receive(std::max(patience, absl::ZeroDuration()), stopping_);
  if (!delivery.ok()) {
    ++failures_;
    Failed("receiving events", delivery.status());
    Wait(After(kFirstWait, failures_in_a_row_++, kLongestWait));
    return;
  }
  // With the end there is none, which says nothing of the bus.
  if (*delivery != nullptr || !stopping_()) Went("receiving events");
  if (*delivery == nullptr) return;
  delivery_ = delivery->get();
  extended_ = absl::Now();
  Heed(**delivery);
  delivery_ = nullptr;
}

void Worker::State::Heed(Delivery& delivery) {
  const absl::StatusOr<Event> event = DecodeEvent(delivery.text());
  absl::Status heeded;
  if (event.ok()) {
    heeded = HeedEvent(*event);
  } else {
    Warn(fleet::LogLine("pgo_event_refused")
             .Add("why", std::string(event.status().message())));
  }
  if (heeded.ok()) {
    failures_in_a_row_ = 0;
    const absl::Status done = delivery.Acknowledge();
    // It comes again, and is nothing new then.
    if (!done.ok()) Failed("acknowledging events", done);
    if (done.ok()) Went("acknowledging events");
    if (event.ok()) Went(absl::StrCat("events of ", event->app));
    return;
  }
  ++failures_;
  Failed(absl::StrCat("events of ", event->app), heeded);
  const bool is_away = absl::IsUnavailable(heeded);
  absl::Duration wait = kLongestWait;
  if (is_away) wait = After(kFirstWait, failures_in_a_row_++, kLongestWait);
  if (absl::IsAborted(heeded)) wait = kFirstWait;
  const absl::Status returned = delivery.Return(wait);
  if (!returned.ok()) Failed("returning events", returned);
  if (returned.ok()) Went("returning events");
  // Where an engine is away the next would fare no better. What is wrong with
  // one application alone holds up no other.
  if (is_away) Wait(wait);
}

absl::Status Worker::State::HeedEvent(const Event& event) {
  const bool has_profile = event.type == kUploaded || event.type == kMerged;
  if (!has_profile && event.type != kDeleted) return absl::OkStatus();
  const std::optional<int64_t> id = IdOf(event);
  absl::Status named = CheckApp(event.app);
  if (named.ok() && has_profile && !id.has_value()) {
    named = absl::InvalidArgumentError(absl::StrCat(
        "'", event.profile_key, "' is no key of a profile of ", event.app));
  }
  if (!named.ok()) {
    Warn(fleet::LogLine("pgo_event_refused")
             .Add("why", std::string(named.message()))
             .Add("id", event.id));
    return absl::OkStatus();
  }
  if (event.type == kUploaded) return HeedUploaded(event.app, *id);
  if (event.type == kMerged) return HeedMerged(event.app, *id);
  return HeedDeleted(event);
}

absl::Status Worker::State::HeedUploaded(const std::string& app, int64_t id) {
  for (int i = 0; i < kMergeTries; ++i) {
    const absl::StatusOr<CurrentBase> current =
        ReadCurrent(store_, app, &manifests_);
    if (!current.ok()) return current.status();
    if (current->manifest->Find(id) != nullptr) return HeedKnown(app, id);
    // The record was read first: what is gone by now was merged, or deleted.
    const absl::StatusOr<bool> staged = IsStaged(app, id);
    if (!staged.ok()) return staged.status();
    if (!*staged) {
      ++duplicates_;
      return absl::OkStatus();
    }
    const absl::StatusOr<std::vector<int64_t>> ids =
        BatchWith(app, id, *current->manifest);
    if (!ids.ok()) return ids.status();
    const absl::StatusOr<NextBase> next = Merge(app, *current, *ids, nullptr);
    if (!next.ok()) return next.status();
    if (!next->lost) {
      // This one's event is here, not still to come.
      const absl::Status followed = Follow(app, *next);
      published_.Remove({app, id});
      return followed;
    }
    PauseAfterTry(i);
  }
  return absl::AbortedError(absl::StrCat(
      "other workers are quicker with the base of ", app, " all the time"));
}

absl::Status Worker::State::HeedKnown(const std::string& app, int64_t id) {
  if (published_.Remove({app, id})) return absl::OkStatus();
  ++duplicates_;
  const absl::StatusOr<bool> staged = IsStaged(app, id);
  if (!staged.ok()) return staged.status();
  // Whoever merged it may have died before it said so.
  return *staged ? Publish(app, id) : absl::OkStatus();
}

absl::Status Worker::State::HeedMerged(const std::string& app, int64_t id) {
  const absl::StatusOr<CurrentBase> current =
      ReadCurrent(store_, app, &manifests_);
  if (!current.ok()) return current.status();
  // What is not merged is not removed, whatever an event says.
  if (current->manifest->Find(id) == nullptr) return absl::OkStatus();
  const absl::Status deleted = store_.objects().Delete(StagingKey(app, id));
  if (deleted.ok()) ++deleted_;
  return deleted;
}

// The server has removed all that was there; this is for what workers were
// about to write meanwhile.
absl::Status Worker::State::HeedDeleted(const Event& event) {
  pending_.erase(event.app);
  std::vector<std::string> made, aside;
  const absl::Status listed =
      ForEachObject(store_.objects(), absl::StrCat(event.app, "/"),
                    [&](const ObjectInfo& object) {
                      if (RevisionOf(object.key).has_value())
                        made.push_back(object.key);
                      if (WasPutAsideBefore(object.key, event.time)) {
                        aside.push_back(object.key);
                      }
                    });
  if (!listed.ok()) return listed;
  for (const std::string& key : aside) {
    if (absl::Status s = store_.objects().Delete(key); !s.ok()) return s;
  }
  if (absl::Status s = RemoveUnneeded(store_, event.app, made); !s.ok()) {
    return s;
  }
  return RefreshDefault(store_, event.app);
}

}  // namespace wallprof::pgo
