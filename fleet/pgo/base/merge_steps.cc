// One version after the other.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/worker_state.h"
#include "fleet/pgo/events/event.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
// `id`, and the oldest of what else is staged.
absl::StatusOr<std::vector<int64_t>> Worker::State::BatchWith(
    const std::string& app, int64_t id, const Manifest& manifest) {
  std::vector<int64_t>& pending = pending_[app];
  if (pending.empty()) {
    const absl::Status listed = ForEachObject(
        store_.objects(), StagingPrefix(app), [&](const ObjectInfo& object) {
          const auto name = ParseStagingKey(object.key);
          if (name.has_value() &&
              StagingKey(app, name->unix_nanoseconds) == object.key) {
            pending.push_back(name->unix_nanoseconds);
          }
        });
    if (!listed.ok()) return listed;
    std::sort(pending.rbegin(), pending.rend());
  }
  std::vector<int64_t> ids = {id};
  const size_t batch = static_cast<size_t>(std::max(options_.batch, 1));
  while (!pending.empty() && ids.size() < batch) {
    const int64_t other = pending.back();
    pending.pop_back();
    if (other != id && manifest.Find(other) == nullptr) ids.push_back(other);
  }
  return ids;
}

absl::StatusOr<NextBase> Worker::State::Merge(
    const std::string& app, const CurrentBase& current,
    const std::vector<int64_t>& ids,
    const std::vector<MergedProfile>* remembered) {
  if (!current.damage.ok()) {
    Warn(fleet::LogLine("pgo_base_damaged")
             .Add("app", app)
             .Add("what", std::string(current.damage.message())));
  }
  std::shared_ptr<const PruneRules> rules;
  {
    const std::lock_guard<std::mutex> lock(rules_mutex_);
    rules = rules_;
  }
  const Merging merging{store_, options_, *rules,
                        parts_, app,      [this] { GoOn(); }};
  absl::StatusOr<NextBase> next = MergeNext(merging, current, ids, remembered);
  if (!next.ok() || next->lost) {
    // They are listed again.
    pending_.erase(app);
  }
  if (next.ok() && next->lost) ++conflicts_;
  return next;
}

void Worker::State::GoOn() {
  const absl::Time now = absl::Now();
  if (delivery_ == nullptr || now < extended_ + options_.extend_period) return;
  extended_ = now;
  delivery_->Extend();
}

// What there is to do after a version was made: telling of it, in this order,
// such that whatever stops the worker is made up for by another event or sweep.
absl::Status Worker::State::Follow(const std::string& app,
                                   const NextBase& next) {
  merged_ += static_cast<int64_t>(next.merged.size());
  for (const std::string& what : next.damage) {
    Warn(fleet::LogLine("pgo_base_damaged").Add("app", app).Add("what", what));
  }
  if (!next.refused_default.empty()) {
    const absl::Status aside = PutDefaultAside(app, next.refused_default);
    if (!aside.ok()) return aside;
  }
  if (next.changed) {
    TellVersion(app, next);
    if (!next.removal.ok()) Failed("removing old parts", next.removal);
    if (next.removal.ok()) Went("removing old parts");
    if (absl::Status s = RefreshDefault(store_, app); !s.ok()) return s;
  }
  for (const Refused& refused : next.refused) {
    if (absl::Status s = PutAside(app, refused); !s.ok()) return s;
  }
  for (const int64_t id : next.merged) {
    if (absl::Status s = Publish(app, id); !s.ok()) return s;
    published_.Add({app, id});
  }
  if (pending_.count(app) != 0 && pending_[app].empty()) pending_.erase(app);
  return absl::OkStatus();
}

void Worker::State::TellVersion(const std::string& app, const NextBase& next) {
  const int64_t duplicates = duplicates_;
  fleet::LogLine line("pgo_version");
  line.Add("app", app)
      .Add("generation", next.record.generation)
      .Add("merged", static_cast<int64_t>(next.merged.size()))
      .Add("refused", static_cast<int64_t>(next.refused.size()))
      .Add("duplicates", duplicates - told_duplicates_)
      .Add("parts", static_cast<int64_t>(next.manifest.parts.size()));
  told_duplicates_ = duplicates;
  next.quality.AddTo(line);
  Tell(line);
}

absl::Status Worker::State::PutAside(const std::string& app,
                                     const Refused& refused) {
  const std::string key = StagingKey(app, refused.id);
  const absl::StatusOr<std::string> bytes =
      store_.objects().Get(key, options_.limits.message_bytes);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  std::string why = refused.why;
  if (bytes.ok()) {
    const absl::Status kept = store_.objects().Put(QuarantineKey(key), *bytes);
    if (!kept.ok()) return kept;
  } else if (absl::IsResourceExhausted(bytes.status())) {
    absl::StrAppend(&why, "; it is too large to be kept");
  } else {
    return bytes.status();
  }
  const absl::Status said =
      store_.objects().Put(ReasonKey(key), absl::StrCat(why, "\n"));
  if (!said.ok()) return said;
  const absl::Status deleted = store_.objects().Delete(key);
  if (!deleted.ok()) return deleted;
  ++quarantined_;
  Warn(fleet::LogLine("pgo_profile_put_aside")
           .Add("app", app)
           .Add("key", QuarantineKey(key))
           .Add("why", why));
  return absl::OkStatus();
}

absl::Status Worker::State::PutDefaultAside(const std::string& app,
                                            const std::string& why) {
  const std::string key = DefaultKey(app);
  const std::string aside = absl::StrCat(app, "/quarantine/default.pgo");
  const absl::StatusOr<std::string> bytes =
      store_.objects().Get(key, options_.limits.message_bytes);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  // One that is too large stays until a base takes its place.
  if (bytes.ok()) {
    if (absl::Status s = store_.objects().Put(aside, *bytes); !s.ok()) {
      return s;
    }
    const absl::Status said = store_.objects().Put(
        absl::StrCat(aside, ".reason"), absl::StrCat(why, "\n"));
    if (!said.ok()) return said;
    if (absl::Status s = store_.objects().Delete(key); !s.ok()) return s;
    ++quarantined_;
  } else if (!absl::IsResourceExhausted(bytes.status())) {
    return bytes.status();
  }
  Warn(fleet::LogLine("pgo_profile_put_aside")
           .Add("app", app)
           .Add("key", bytes.ok() ? aside : key)
           .Add("why", why));
  return absl::OkStatus();
}

absl::StatusOr<bool> Worker::State::IsStaged(const std::string& app,
                                             int64_t id) {
  const absl::Status status =
      store_.objects().GetRange(StagingKey(app, id), 0, 1).status();
  if (absl::IsNotFound(status)) return false;
  // Empty, which is something too.
  if (!status.ok() && !absl::IsOutOfRange(status)) return status;
  return true;
}

absl::Status Worker::State::Publish(const std::string& app, int64_t id) {
  return writer_.Publish(
      NewEvent(kMerged, app, StagingKey(app, id), DefaultKey(app)));
}

void Worker::State::Failed(const std::string& what,
                           const absl::Status& status) {
  if (!failing_.insert(what).second) return;
  Warn(fleet::LogLine("pgo_trouble")
           .Add("with", what)
           .Add("why", std::string(status.message())));
}

void Worker::State::Went(const std::string& what) {
  if (failing_.erase(what) == 0) return;
  Tell(fleet::LogLine("pgo_trouble_over").Add("with", what));
}

}  // namespace wallprof::pgo
