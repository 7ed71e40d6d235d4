// Keeps the number of series within bounds: a label that is new in each profile
// would otherwise make the store slow for everybody.
#ifndef WALLPROF_FLEET_COLLECTOR_SERIES_LIMIT_H_
#define WALLPROF_FLEET_COLLECTOR_SERIES_LIMIT_H_

#include <cstdint>
#include <mutex>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "fleet/store/profile_store.h"

namespace wallprof::collector {

// Thread-safe.
class SeriesLimit {
 public:
  // `store` must outlive this.
  SeriesLimit(store::ProfileStore& store, int64_t max_series);

  // Aborted if `series` would be one too many. Those that are there may go on.
  absl::Status Admit(const store::Series& series);

 private:
  store::ProfileStore& store_;
  const int64_t max_series_;

  std::mutex mutex_;
  absl::flat_hash_set<uint64_t> admitted_;  // hashes of those seen
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_SERIES_LIMIT_H_
