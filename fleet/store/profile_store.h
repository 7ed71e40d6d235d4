// Profiles of a fleet, kept for good: an index and segments of bytes, each on
// this machine or elsewhere.
//
//   auto store = store::OpenProfileStore({.directory = "/var/lib/wallprof"});
//   absl::StatusOr<bool> is_new = (*store)->Add(profile);
//   (*store)->Find(query, [&](const store::IndexEntry& entry) { ... });
//   absl::StatusOr<std::string> message = (*store)->Read(entry);
#ifndef WALLPROF_FLEET_STORE_PROFILE_STORE_H_
#define WALLPROF_FLEET_STORE_PROFILE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/log/log_line.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_info.h"

namespace wallprof::store {

// A profile to keep. The views must last as long as the call.
struct NewProfile {
  ProfileInfo info;

  // What is given back: a profile.proto, or whatever a trace is.
  std::string_view message;

  // `message` in gzip, as it came, if it came so; else empty. Storing it as it
  // is costs nothing now.
  std::string_view gzipped;
};

// When profiles go by themselves. Zero: never.
struct Retention {
  absl::Duration max_age;
  int64_t max_bytes = 0;  // of segments; the oldest go first

  // Of profiles older than `age`, each series keeps one in every `period`.
  struct Thinning {
    absl::Duration age;
    absl::Duration period;
  };
  std::vector<Thinning> thinning;
};

struct StoreOptions {
  // Everything is in here, unless a URL says otherwise. Made if missing.
  std::string directory;

  // "s3://BUCKET/PREFIX?endpoint=..." (object_store.h), or empty: files.
  std::string blobs;

  // "postgres://..." as libpq reads it, or empty: SQLite. Given together with
  // `blobs`, instead of a directory: a store that several collectors share.
  std::string index;

  Retention retention;

  // Told of each event. May be empty.
  fleet::LineLog log;
};

struct StoreStatistics {
  int64_t profiles = 0;
  int64_t series = 0;
  int64_t segments = 0;       // of a shared store, as of a minute ago at most
  int64_t segment_bytes = 0;  // likewise
  int64_t added = 0;          // since the start, as are those below
  int64_t duplicates = 0;     // sent again
  int64_t expired = 0;        // by age
  int64_t evicted = 0;        // by size
  int64_t thinned = 0;
  int64_t damaged = 0;  // records that could not be read
  int64_t commits = 0;  // batches; profiles of one share its write to the disk
};

// Thread-safe. Errors of all calls as Index and Segments have them.
class ProfileStore {
 public:
  virtual ~ProfileStore() = default;

  // Keeps `profile`, for good once this returns. False if it is there already,
  // by its id. Calls of several threads share their writes.
  virtual absl::StatusOr<bool> Add(const NewProfile& profile) = 0;

  // As Index has them.
  virtual absl::Status Find(
      const Query& query,
      absl::FunctionRef<bool(const IndexEntry& entry)> take) = 0;
  virtual absl::StatusOr<std::vector<IndexEntry>> Get(
      absl::Span<const std::string> ids) = 0;
  virtual absl::StatusOr<std::vector<Series>> FindSeries(
      const Query& query) = 0;
  virtual absl::StatusOr<int64_t> CountSeries() = 0;

  // NewProfile::message. NotFound if it was removed meanwhile.
  virtual absl::StatusOr<std::string> Read(const IndexEntry& entry) = 0;

  // Removes those of `ids` that are there, and says how many.
  virtual absl::StatusOr<int64_t> Delete(absl::Span<const std::string> ids) = 0;

  virtual absl::StatusOr<StoreStatistics> Stats() = 0;

  // Whether profiles could be added right now.
  virtual absl::Status Check() = 0;

  // Applies the retention, packs and clears away what is due, and returns when
  // it is done; it is done now and then by itself. Cancelled when the store
  // closes.
  virtual absl::Status KeepHouse() = 0;
};

// Opens or makes a store, repairs what an end without warning has left, and
// says so to `log`. InvalidArgument naming the option that is wrong,
// FailedPrecondition if another process has the directory.
absl::StatusOr<std::unique_ptr<ProfileStore>> OpenProfileStore(
    const StoreOptions& options);

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_PROFILE_STORE_H_
