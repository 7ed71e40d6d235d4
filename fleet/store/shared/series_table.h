// The numbers that series have in PostgreSQL.
#ifndef WALLPROF_FLEET_STORE_SHARED_SERIES_TABLE_H_
#define WALLPROF_FLEET_STORE_SHARED_SERIES_TABLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/postgres/connection.h"
#include "fleet/store/profile_info.h"
#include "fleet/store/selector.h"

namespace wallprof::store::shared {

using SharedSeries = std::shared_ptr<const Series>;

// Remembers those that were used. Thread-safe.
class SeriesTable {
 public:
  // The number of each of `series`, made where there was none. Good for an
  // hour.
  absl::StatusOr<std::vector<int64_t>> Number(
      postgres::Connection& connection, absl::Span<const Series* const> series);

  // Series by number; those that are not there are left out.
  using ByNumber = std::map<int64_t, SharedSeries>;
  absl::StatusOr<ByNumber> Get(postgres::Connection& connection,
                               const std::vector<int64_t>& numbers);

  // All that match.
  absl::StatusOr<ByNumber> Find(postgres::Connection& connection,
                                const Selector& selector);

  // Has those of `numbers` counted, as profiles of theirs were added, or no
  // longer counted, as their last profile was removed. Who adds while another
  // removes is right within the hour.
  absl::Status MarkUsed(postgres::Connection& connection,
                        const std::vector<int64_t>& numbers);
  absl::Status MarkEmpty(postgres::Connection& connection,
                         const std::vector<int64_t>& numbers);

  // Removes those of `numbers` that nobody has used for days.
  absl::Status RemoveUnused(postgres::Connection& connection,
                            const std::vector<int64_t>& numbers);

  // Which nobody has used for days.
  absl::StatusOr<std::vector<int64_t>> ListUnused(
      postgres::Connection& connection);

 private:
  struct Known {
    int64_t number;
    absl::Time since;
  };

  std::mutex mutex_;
  absl::flat_hash_map<std::string, Known> numbers_;  // by digest
  absl::flat_hash_set<int64_t> empty_;               // of those
  absl::flat_hash_map<int64_t, SharedSeries> series_;
};

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_SERIES_TABLE_H_
