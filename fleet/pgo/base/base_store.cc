#include "fleet/pgo/base/base_store.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/base/manifest.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

// How often what moves on meanwhile is begun again.
constexpr int kTries = 16;

// New ids have the time in steps of 2^18 ns, a quarter of a millisecond, and
// below that a number by chance that is the process's own. Within a process no
// step is used twice; between two, ids can meet only if both have the same
// number, one in 262 144, and then only within the same step.
constexpr int kStepBits = 18;

int64_t NewId() {
  static const int64_t own =
      static_cast<int64_t>(std::random_device{}() & ((1u << kStepBits) - 1));
  static std::atomic<int64_t> last{0};
  int64_t before = last.load(std::memory_order_relaxed);
  int64_t step;
  do {
    step = std::max(absl::GetCurrentTimeNanos() >> kStepBits, before + 1);
  } while (
      !last.compare_exchange_weak(before, step, std::memory_order_relaxed));
  return (step << kStepBits) | own;
}

absl::Status NoBase(std::string_view app) {
  return absl::NotFoundError(absl::StrCat(
      "there is no base of ", absl::string_view(app.data(), app.size())));
}

std::string PrefixOf(std::string_view app) {
  return absl::StrCat(absl::string_view(app.data(), app.size()), "/");
}

absl::StatusOr<Record> ReadRecord(BaseVersions& versions,
                                  std::string_view app) {
  const absl::StatusOr<BaseVersion> version = versions.Get(app);
  if (!version.ok()) return version.status();
  if (version->record.empty()) return NoBase(app);
  absl::StatusOr<Record> record = DecodeRecord(version->record);
  if (record.ok() && record->base.empty()) return NoBase(app);
  return record;
}

absl::StatusOr<std::vector<std::string>> KeysOf(BaseStore& store,
                                                std::string_view app) {
  std::vector<std::string> keys;
  const absl::Status listed = ForEachObject(
      store.objects(), PrefixOf(app),
      [&keys](const ObjectInfo& object) { keys.push_back(object.key); });
  if (!listed.ok()) return listed;
  return keys;
}

// What the manifest of an application that is being deleted says: these
// profiles are done with, though their staged objects are still there.
Manifest DoneWith(const Manifest& manifest,
                  const std::vector<std::string>& keys) {
  Manifest done;
  done.merged = manifest.merged;
  for (const std::string& key : keys) {
    const std::optional<StagedName> name = ParseStagingKey(key);
    if (!name.has_value() || manifest.Find(name->unix_nanoseconds) != nullptr) {
      continue;
    }
    done.merged.push_back({name->unix_nanoseconds, absl::Now()});
  }
  return done;
}

// Puts a record without a base in place of what there is. `keys`: in, all
// objects; out, those that nothing needs any more. NotFound where there is
// nothing.
absl::Status Abandon(BaseStore& store, std::string_view app,
                     std::vector<std::string>& keys) {
  for (int i = 0; i < kTries; ++i) {
    const absl::StatusOr<CurrentBase> current = ReadCurrent(store, app);
    if (!current.ok()) return current.status();
    absl::StatusOr<std::vector<std::string>> listed = KeysOf(store, app);
    if (!listed.ok()) return listed.status();
    keys = *std::move(listed);
    if (keys.empty() && !current->has_base()) return NoBase(app);
    Record record;
    record.generation = current->record.generation;
    record.manifest = NewKey(app, kStates, current->revision);
    record.modified = absl::Now();
    const absl::Status kept = store.objects().Put(
        record.manifest, EncodeManifest(DoneWith(*current->manifest, keys)));
    if (!kept.ok()) return kept;
    const absl::StatusOr<bool> replaced = ReplaceRecord(
        store.versions(), app, current->revision, EncodeRecord(record));
    if (!replaced.ok()) return replaced.status();
    if (*replaced) return absl::OkStatus();
    const absl::Status removed = RemoveUnneeded(store, app, {record.manifest});
    if (!removed.ok()) return removed;
    PauseAfterTry(i);
  }
  return absl::UnavailableError(absl::StrCat(
      "others change the base of ", absl::string_view(app.data(), app.size()),
      " all the time; try again"));
}

// Leaves no record where no new base has been begun meanwhile.
absl::Status Forget(BaseStore& store, std::string_view app) {
  for (int i = 0; i < kTries; ++i) {
    const absl::StatusOr<CurrentBase> current = ReadCurrent(store, app);
    if (!current.ok()) return current.status();
    if (current->has_base() || current->record.manifest.empty() ||
        !current->manifest->parts.empty()) {
      return absl::OkStatus();
    }
    const absl::StatusOr<bool> replaced =
        ReplaceRecord(store.versions(), app, current->revision, "");
    if (!replaced.ok()) return replaced.status();
    if (*replaced) return store.objects().Delete(current->record.manifest);
    PauseAfterTry(i);
  }
  // Whoever changes it has begun a new one.
  return absl::OkStatus();
}

}  // namespace

BaseStore::BaseStore(ObjectStore& objects, BaseVersions& versions)
    : objects_(objects), versions_(versions) {}

absl::StatusOr<std::string> BaseStore::Stage(std::string_view app,
                                             std::string_view bytes,
                                             int64_t id) {
  if (absl::Status s = CheckApp(app); !s.ok()) return s;
  std::string key = StagingKey(app, id != 0 ? id : NewId());
  if (!ParseStagingKey(key).has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(key, " is no key of a profile"));
  }
  if (absl::Status s = objects_.Put(key, bytes); !s.ok()) return s;
  return key;
}

absl::StatusOr<std::string> BaseStore::Download(std::string_view app) {
  if (absl::Status s = CheckApp(app); !s.ok()) return s;
  std::string missing;
  for (;;) {
    const absl::StatusOr<Record> record = ReadRecord(versions_, app);
    if (!record.ok()) return record.status();
    absl::StatusOr<std::string> bytes =
        objects_.Get(record->base, static_cast<size_t>(record->bytes));
    if (!absl::IsNotFound(bytes.status())) return bytes;
    if (record->base == missing) {
      return absl::DataLossError(
          absl::StrCat(record->base, " is missing in the store"));
    }
    missing = record->base;  // replaced meanwhile, if all is well
  }
}

absl::StatusOr<BaseInfo> BaseStore::Describe(std::string_view app) {
  if (absl::Status s = CheckApp(app); !s.ok()) return s;
  const absl::StatusOr<Record> record = ReadRecord(versions_, app);
  if (!record.ok()) return record.status();
  return BaseInfo{std::string(app), record->bytes, record->modified};
}

absl::StatusOr<std::vector<BaseInfo>> BaseStore::List() {
  const auto versions = versions_.List();
  if (!versions.ok()) return versions.status();
  std::vector<BaseInfo> bases;
  for (const auto& [app, version] : *versions) {
    if (version.record.empty()) continue;
    const absl::StatusOr<Record> record = DecodeRecord(version.record);
    // One that is damaged hides no others; asked for itself, it says so.
    if (!record.ok() || record->base.empty()) continue;
    bases.push_back({app, record->bytes, record->modified});
  }
  return bases;
}

absl::Status BaseStore::Delete(std::string_view app) {
  if (absl::Status s = CheckApp(app); !s.ok()) return s;
  std::vector<std::string> keys;
  if (absl::Status s = Abandon(*this, app, keys); !s.ok()) return s;
  const std::string copy = DefaultKey(app);
  for (const std::string& key : keys) {
    if (key == copy) continue;
    if (absl::Status s = objects_.Delete(key); !s.ok()) return s;
  }
  if (absl::Status s = Forget(*this, app); !s.ok()) return s;
  // What workers had begun when the record was replaced.
  const absl::StatusOr<std::vector<std::string>> left = KeysOf(*this, app);
  if (!left.ok()) return left.status();
  if (absl::Status s = RemoveUnneeded(*this, app, *left); !s.ok()) return s;
  return RefreshDefault(*this, app);
}

}  // namespace wallprof::pgo
