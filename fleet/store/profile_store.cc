#include "fleet/store/profile_store.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/files/files.h"
#include "fleet/store/kept_profiles.h"
#include "fleet/store/local/repair.h"
#include "fleet/store/shared/object_segments.h"
#include "fleet/store/shared/postgres_index.h"

namespace wallprof::store {
namespace {

// Held for as long as the store is open: of two that write, each would take the
// other's segments for leftovers.
absl::StatusOr<fleet::File> LockDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fleet::FileError(error.value(), directory);
  absl::StatusOr<fleet::File> lock =
      fleet::OpenFile(absl::StrCat(directory, "/lock"), O_RDWR | O_CREAT);
  if (!lock.ok()) return lock;
  if (flock(lock->number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fleet::FileError(errno, directory);
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is used by another process"));
  }
  return lock;
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
  return std::make_unique<KeptProfiles>(fleet::File(), *std::move(index),
                                        *std::move(segments), options.log);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProfileStore>> OpenProfileStore(
    const StoreOptions& options) {
  if (!options.index.empty() || !options.blobs.empty()) {
    return OpenShared(options);
  }
  if (options.directory.empty()) {
    return absl::InvalidArgumentError("directory: must be given");
  }
  absl::StatusOr<fleet::File> lock = LockDirectory(options.directory);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<local::OpenedIndex> index =
      local::OpenLocalIndex(options.directory, false, options.log);
  if (!index.ok()) return index.status();
  absl::StatusOr<std::unique_ptr<local::SegmentFiles>> segments =
      local::SegmentFiles::Open(absl::StrCat(options.directory, "/segments"));
  if (!segments.ok()) return segments.status();
  absl::Status repaired = local::Repair(*index, **segments, options.log);
  if (!repaired.ok()) return repaired;
  return std::make_unique<KeptProfiles>(*std::move(lock),
                                        std::move(index->index),
                                        *std::move(segments), options.log);
}

}  // namespace wallprof::store
