#include "fleet/store/profile_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/files/files.h"
#include "fleet/store/kept_profiles.h"
#include "fleet/store/local/repair.h"
#include "fleet/store/shared/object_segments.h"
#include "fleet/store/shared/postgres_index.h"

namespace wallprof::store {
namespace {

// A collector tells the index of what it wrote long before that, or has ended.
constexpr absl::Duration kTellsIndexWithin = absl::Minutes(10);
constexpr absl::Duration kOrphanAge = absl::Hours(1);

// Whoever looks at the figures does so more often than they change by much.
constexpr absl::Duration kCountsObjectsEvery = absl::Minutes(1);

absl::Status CheckRetention(const Retention& retention) {
  if (retention.max_age < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("retention.max_age: below zero");
  }
  if (retention.max_bytes < 0) {
    return absl::InvalidArgumentError("retention.max_bytes: below zero");
  }
  for (const Retention::Thinning& rule : retention.thinning) {
    if (rule.age < absl::ZeroDuration() || rule.period < absl::Seconds(1)) {
      return absl::InvalidArgumentError(
          "retention.thinning: an age below zero, or a period below a second");
    }
  }
  return absl::OkStatus();
}

KeepingOptions KeepingOf(const StoreOptions& options) {
  KeepingOptions keeping;
  keeping.house.retention = options.retention;
  keeping.house.now = absl::Now;
  keeping.log = options.log;
  return keeping;
}

absl::StatusOr<std::unique_ptr<ProfileStore>> OpenLocal(
    const StoreOptions& options) {
  if (options.directory.empty()) {
    return absl::InvalidArgumentError("directory: must be given");
  }
  // Held for as long as the store is open: of two that write, each would take
  // the other's segments for leftovers.
  absl::StatusOr<fleet::File> lock = fleet::LockDirectory(options.directory);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<local::LocalParts> parts =
      local::OpenLocalParts(options.directory, {}, options.log);
  if (!parts.ok()) return parts.status();
  KeepingOptions keeping = KeepingOf(options);
  // A file that is closed gets no larger.
  keeping.packing.min_group_bytes = 0;
  return std::make_unique<KeptProfiles>(
      *std::move(lock), std::move(parts->index), std::move(parts->segments),
      std::move(keeping));
}

// What several collectors have in common is of use to all of them only as a
// whole: an entry of another's leads nowhere where the bytes are not here.
absl::StatusOr<std::unique_ptr<ProfileStore>> OpenShared(
    const StoreOptions& options) {
  if (options.index.empty()) {
    return absl::InvalidArgumentError(
        "index: must be given where blobs are in an object store");
  }
  if (options.blobs.empty()) {
    return absl::InvalidArgumentError(
        "blobs: must be given where the index is in PostgreSQL");
  }
  absl::StatusOr<std::unique_ptr<Segments>> segments =
      shared::MakeObjectSegments(options.blobs);
  if (!segments.ok()) return segments.status();
  absl::StatusOr<std::unique_ptr<Index>> index =
      shared::MakePostgresIndex(options.index);
  if (!index.ok()) return index.status();
  KeepingOptions keeping = KeepingOf(options);
  keeping.compresses_adds = true;
  keeping.packing.min_age = kTellsIndexWithin;
  keeping.house.orphan_age = kOrphanAge;
  keeping.counts_segments_every = kCountsObjectsEvery;
  return std::make_unique<KeptProfiles>(fleet::File(), *std::move(index),
                                        *std::move(segments),
                                        std::move(keeping));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProfileStore>> OpenProfileStore(
    const StoreOptions& options) {
  if (absl::Status valid = CheckRetention(options.retention); !valid.ok()) {
    return valid;
  }
  if (options.index.empty() && options.blobs.empty()) return OpenLocal(options);
  return OpenShared(options);
}

}  // namespace wallprof::store
