// Takes a profile in: looks at the bytes, says what is wrong with them, and
// keeps them. Nothing is acknowledged that is not kept.
#ifndef WALLPROF_FLEET_COLLECTOR_INGEST_H_
#define WALLPROF_FLEET_COLLECTOR_INGEST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/collector/limits.h"
#include "fleet/collector/series_limit.h"
#include "fleet/store/profile_info.h"
#include "fleet/store/profile_store.h"

namespace wallprof::collector {

// A profile as it was sent.
struct Sent {
  store::Series series;
  std::optional<absl::Time> created_at;  // for a profile that does not say
  std::string_view body;                 // gzipped or not
  // What the sender calls it, the same whenever it is sent again; or empty.
  std::string_view sender_id;
};

// Thread-safe.
class Ingest {
 public:
  // `store` must outlive this.
  Ingest(store::ProfileStore& store, const Limits& limits);

  // What it is kept as. InvalidArgument for a profile or a description that
  // cannot be kept, OutOfRange and Aborted beyond a limit; the store's errors.
  // One that is there already is not kept again; the answer is the same.
  absl::StatusOr<store::ProfileInfo> Keep(const Sent& sent, absl::Time now);

 private:
  absl::Status CheckSeries(const store::Series& series) const;
  absl::Status CheckTime(absl::Time created_at, absl::Time now) const;

  store::ProfileStore& store_;
  const Limits limits_;
  SeriesLimit series_limit_;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_INGEST_H_
