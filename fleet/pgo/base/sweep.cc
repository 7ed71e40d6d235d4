// What no event tells of.
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/worker_state.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

// Events of profiles that were merged are on their way for some time; where
// they take longer, they are published again.
constexpr absl::Duration kEventsTake = absl::Minutes(2);

// Objects of the record's own revision may be those of a version that is being
// made. So long none takes; and if one does, it begins again.
constexpr absl::Duration kGarbageAge = absl::Hours(1);

// The ids that a manifest shall know from now on; whether that is news is
// `*changed`.
std::vector<MergedProfile> Remember(const std::vector<MergedProfile>& merged,
                                    const std::vector<int64_t>& staged,
                                    bool* changed) {
  const absl::Time now = absl::Now();
  std::vector<MergedProfile> remembered;
  for (const MergedProfile& profile : merged) {
    const absl::Duration age = now - profile.seen;
    if (std::binary_search(staged.begin(), staged.end(), profile.id)) {
      remembered.push_back({profile.id, now});
      *changed |= age > kIdMemory / 2;
    } else if (age < kIdMemory) {
      remembered.push_back(profile);
    } else {
      *changed = true;
    }
  }
  return remembered;
}

}  // namespace

absl::Status Worker::State::Sweep() {
  Found found;
  absl::Status first;
  const auto finish = [&] {
    if (found.app.empty() || stopping()) return;
    std::sort(found.staged.begin(), found.staged.end());
    const std::string what = absl::StrCat("the sweep of ", found.app);
    const absl::Status swept = SweepApp(found);
    if (swept.ok()) Went(what);
    if (!swept.ok()) Failed(what, swept);
    first.Update(swept);
  };
  const absl::Status listed =
      ForEachObject(store_.objects(), "", [&](const ObjectInfo& object) {
        const std::string app = object.key.substr(0, object.key.find('/'));
        if (app.size() == object.key.size() || !CheckApp(app).ok()) return;
        if (app != found.app) {
          finish();
          found = {};
          found.app = app;
        }
        const auto staged = ParseStagingKey(object.key);
        if (staged.has_value() &&
            StagingKey(app, staged->unix_nanoseconds) == object.key) {
          found.staged.push_back(staged->unix_nanoseconds);
        } else if (RevisionOf(object.key).has_value()) {
          found.made.push_back(object);
        } else if (object.key == DefaultKey(app)) {
          found.copy = object;
        }
      });
  finish();
  if (listed.ok()) Went("listing the store");
  if (!listed.ok()) Failed("listing the store", listed);
  first.Update(listed);
  return first;
}

absl::Status Worker::State::SweepApp(const Found& found) {
  bool changed = false;
  const absl::StatusOr<CurrentBase> current = MergeFound(found, changed);
  if (!current.ok()) return current.status();
  if (stopping()) return absl::OkStatus();
  if (absl::Status s = PublishFound(found, *current); !s.ok()) return s;
  if (absl::Status s = RemoveGarbage(found, *current); !s.ok()) return s;
  if (absl::Status s = ForgetDeleted(found.app); !s.ok()) return s;
  // With a new version the copy is a new one too.
  return changed ? absl::OkStatus() : CheckCopy(found);
}

// Until all that was found is part of the base. The base as it then is.
absl::StatusOr<CurrentBase> Worker::State::MergeFound(const Found& found,
                                                      bool& changed) {
  const size_t batch = static_cast<size_t>(std::max(options_.batch, 1));
  size_t done = 0;  // of found.staged
  for (int lost = 0; lost < kMergeTries;) {
    absl::StatusOr<CurrentBase> current =
        ReadCurrent(store_, found.app, &manifests_);
    if (!current.ok() || stopping()) return current;
    std::vector<int64_t> ids;
    size_t next_done = done;
    for (; next_done < found.staged.size() && ids.size() < batch; ++next_done) {
      const int64_t id = found.staged[next_done];
      if (current->manifest->Find(id) == nullptr) ids.push_back(id);
    }
    bool news = false;
    const std::vector<MergedProfile> remembered =
        Remember(current->manifest->merged, found.staged, &news);
    const bool adopts = !found.copy.key.empty() && current->revision == 0;
    if (ids.empty() && !news && !adopts && current->damage.ok()) {
      return current;
    }
    const absl::StatusOr<NextBase> next =
        Merge(found.app, *current, ids, news ? &remembered : nullptr);
    if (!next.ok()) return next.status();
    if (next->lost) {
      PauseAfterTry(lost++);
      continue;
    }
    if (absl::Status s = Follow(found.app, *next); !s.ok()) return s;
    done = next_done;
    changed |= next->changed;
    if (!next->changed && ids.empty()) return current;
  }
  return absl::AbortedError(
      absl::StrCat("other workers are quicker with the base of ", found.app));
}

absl::Status Worker::State::PublishFound(const Found& found,
                                         const CurrentBase& current) {
  const absl::Time late = absl::Now() - kEventsTake;
  for (const int64_t id : found.staged) {
    const MergedProfile* merged = current.manifest->Find(id);
    if (merged == nullptr || merged->seen > late) continue;
    if (absl::Status s = Publish(found.app, id); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Worker::State::RemoveGarbage(const Found& found,
                                          CurrentBase current) {
  std::vector<std::string> keys;
  bool stuck = false;
  const absl::Time old = absl::Now() - kGarbageAge;
  for (const ObjectInfo& object : found.made) {
    keys.push_back(object.key);
    stuck |=
        object.modified < old && RevisionOf(object.key) == current.revision;
  }
  if (stuck && current.revision != 0) {
    // With the next revision what was made for this one is garbage.
    const absl::StatusOr<BaseVersion> version =
        store_.versions().Get(found.app);
    if (!version.ok()) return version.status();
    const absl::Status moved =
        store_.versions()
            .Replace(found.app, version->revision, version->record)
            .status();
    // Another was quicker, and has moved it on.
    if (!moved.ok() && !absl::IsAborted(moved)) return moved;
  }
  return RemoveUnneeded(store_, found.app, keys);
}

// The record of an application that was deleted, once no id is left that must
// be known.
absl::Status Worker::State::ForgetDeleted(const std::string& app) {
  const absl::StatusOr<CurrentBase> current =
      ReadCurrent(store_, app, &manifests_);
  if (!current.ok()) return current.status();
  if (current->record.manifest.empty() || current->has_base() ||
      !current->manifest->parts.empty() || !current->manifest->merged.empty()) {
    return absl::OkStatus();
  }
  const absl::StatusOr<bool> replaced =
      ReplaceRecord(store_.versions(), app, current->revision, "");
  if (!replaced.ok()) return replaced.status();
  return RemoveUnneeded(store_, app, {current->record.manifest});
}

// Whoever made the base may have died before the copy was made.
absl::Status Worker::State::CheckCopy(const Found& found) {
  const absl::StatusOr<CurrentBase> current =
      ReadCurrent(store_, found.app, &manifests_);
  if (!current.ok()) return current.status();
  const std::pair<uint64_t, absl::Time> now = {current->revision,
                                               found.copy.modified};
  const auto checked = checked_copies_.find(found.app);
  if (checked != checked_copies_.end() && checked->second == now) {
    return absl::OkStatus();
  }
  bool differs = found.copy.key.empty() == current->has_base();
  if (current->has_base() && !differs) {
    const size_t bytes = static_cast<size_t>(current->record.bytes);
    const absl::StatusOr<std::string> copy =
        store_.objects().Get(found.copy.key, bytes);
    const absl::StatusOr<std::string> base =
        store_.objects().Get(current->record.base, bytes);
    if (!base.ok()) return base.status();
    differs = !copy.ok() || *copy != *base;
  }
  if (differs && current->revision != 0) {
    return RefreshDefault(store_, found.app);
  }
  checked_copies_[found.app] = now;
  return absl::OkStatus();
}

}  // namespace wallprof::pgo
