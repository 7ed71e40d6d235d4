#include "fleet/pgo/base/current_base.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

// A manifest has some 20 bytes for each profile of the last hour: a thousand
// processes, one a minute, make 1 MB.
constexpr size_t kMaxManifestBytes = size_t{256} << 20;

// Applications whose profiles come at the same time.
constexpr size_t kCachedManifests = 16;

// How often what moves on meanwhile is looked at again.
constexpr int kLooks = 8;

// Within which a record's engine that went away may come back, together with
// its own patience.
constexpr int kReplacements = 6;

constexpr absl::Duration kFirstPause = absl::Milliseconds(5);
constexpr int kMaxDoublings = 7;  // up to 0.6 s

constexpr int kPage = 1000;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

uint64_t Chance() {
  static thread_local std::mt19937_64 random{[] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }()};
  return random();
}

}  // namespace

std::shared_ptr<const Manifest> ManifestCache::Find(
    std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.key == key) return entry.manifest;
  }
  return nullptr;
}

void ManifestCache::Keep(std::string_view key,
                         std::shared_ptr<const Manifest> manifest) {
  entries_.insert(entries_.begin(), {std::string(key), std::move(manifest)});
  if (entries_.size() > kCachedManifests) entries_.pop_back();
}

absl::StatusOr<CurrentBase> ReadCurrent(BaseStore& store, std::string_view app,
                                        ManifestCache* cache) {
  CurrentBase current;
  current.manifest = std::make_shared<const Manifest>();
  std::string missing;
  for (int look = 0; look < kLooks; ++look) {
    const absl::StatusOr<BaseVersion> version = store.versions().Get(app);
    if (!version.ok()) return version.status();
    current.revision = version->revision;
    if (version->record.empty()) return current;
    absl::StatusOr<Record> record = DecodeRecord(version->record);
    if (!record.ok()) {
      current.damage = record.status();
      return current;
    }
    std::shared_ptr<const Manifest> known =
        cache == nullptr ? nullptr : cache->Find(record->manifest);
    if (known == nullptr) {
      const absl::StatusOr<std::string> text =
          store.objects().Get(record->manifest, kMaxManifestBytes);
      if (absl::IsNotFound(text.status()) && record->manifest != missing) {
        missing = record->manifest;  // replaced meanwhile, if all is well
        continue;
      }
      if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
      absl::StatusOr<Manifest> manifest =
          text.ok() ? DecodeManifest(*text)
                    : absl::DataLossError("the manifest of a base is missing");
      if (!manifest.ok()) {
        current.damage = manifest.status();
        return current;
      }
      known = std::make_shared<const Manifest>(*std::move(manifest));
      if (cache != nullptr) cache->Keep(record->manifest, known);
    }
    current.record = *std::move(record);
    current.manifest = std::move(known);
    return current;
  }
  return absl::UnavailableError(
      absl::StrCat("the base of ", View(app), " does not stand still"));
}

std::string NewKey(std::string_view app, std::string_view kind,
                   uint64_t revision) {
  return absl::StrFormat("%s/%s/%d-%016x", View(app), View(kind), revision,
                         Chance());
}

std::optional<uint64_t> RevisionOf(std::string_view key) {
  const std::vector<absl::string_view> steps = absl::StrSplit(View(key), '/');
  if (steps.size() != 3 ||
      (steps[1] != kParts && steps[1] != kBases && steps[1] != kStates)) {
    return std::nullopt;
  }
  const std::vector<absl::string_view> name = absl::StrSplit(steps[2], '-');
  uint64_t revision = 0;
  if (name.size() != 2 || !absl::SimpleAtoi(name[0], &revision)) {
    return std::nullopt;
  }
  return revision;
}

absl::StatusOr<bool> ReplaceRecord(BaseVersions& versions, std::string_view app,
                                   uint64_t revision, std::string_view record) {
  absl::Status last;
  for (int i = 0; i < kReplacements; ++i) {
    last = versions.Replace(app, revision, record).status();
    if (last.ok()) return true;
    if (absl::IsAborted(last)) {
      // Perhaps by this one, before, when no answer came.
      const absl::StatusOr<BaseVersion> now = versions.Get(app);
      if (!now.ok()) return now.status();
      return !record.empty() && now->record == record;
    }
    if (!absl::IsUnavailable(last)) return last;
    PauseAfterTry(i);
  }
  return last;
}

absl::Status RemoveUnneeded(BaseStore& store, std::string_view app,
                            const std::vector<std::string>& keys) {
  if (keys.empty()) return absl::OkStatus();
  const absl::StatusOr<CurrentBase> current = ReadCurrent(store, app);
  if (!current.ok()) return current.status();
  // What it needs cannot be known.
  if (!current->damage.ok()) return absl::OkStatus();
  for (const std::string& key : keys) {
    const std::optional<uint64_t> revision = RevisionOf(key);
    if (!revision.has_value() || *revision == current->revision ||
        key == current->record.manifest || current->manifest->Needs(key)) {
      continue;
    }
    const absl::Status deleted = store.objects().Delete(key);
    if (!deleted.ok()) return deleted;
  }
  return absl::OkStatus();
}

absl::Status RefreshDefault(BaseStore& store, std::string_view app) {
  const std::string key = DefaultKey(app);
  for (int look = 0; look < kLooks; ++look) {
    const absl::StatusOr<BaseVersion> before = store.versions().Get(app);
    if (!before.ok()) return before.status();
    Record record;
    if (!before->record.empty()) {
      absl::StatusOr<Record> decoded = DecodeRecord(before->record);
      if (!decoded.ok()) return decoded.status();
      record = *std::move(decoded);
    }
    absl::Status done;
    if (!record.base.empty()) {
      const absl::StatusOr<std::string> bytes =
          store.objects().Get(record.base, static_cast<size_t>(record.bytes));
      done = bytes.ok() ? store.objects().Put(key, *bytes) : bytes.status();
    } else if (before->revision != 0) {
      done = store.objects().Delete(key);
    }
    if (!done.ok() && !absl::IsNotFound(done)) return done;
    const absl::StatusOr<BaseVersion> after = store.versions().Get(app);
    if (!after.ok()) return after.status();
    if (after->revision == before->revision) return done;
  }
  // Those who move it on look after it too.
  return absl::OkStatus();
}

absl::Status ForEachObject(ObjectStore& objects, std::string_view prefix,
                           const std::function<void(const ObjectInfo&)>& take) {
  std::string after;
  for (;;) {
    const absl::StatusOr<std::vector<ObjectInfo>> page =
        objects.List(prefix, after, kPage);
    if (!page.ok()) return page.status();
    for (const ObjectInfo& object : *page) take(object);
    if (page->size() < kPage) return absl::OkStatus();
    after = page->back().key;
  }
}

void PauseAfterTry(int tries) {
  const absl::Duration longest =
      kFirstPause * (1 << std::min(tries, kMaxDoublings));
  absl::SleepFor(longest * (static_cast<double>(Chance() >> 11) * 0x1p-53));
}

}  // namespace wallprof::pgo
