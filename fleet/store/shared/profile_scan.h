// Reading many profiles' rows in their order.
#ifndef WALLPROF_FLEET_STORE_SHARED_PROFILE_SCAN_H_
#define WALLPROF_FLEET_STORE_SHARED_PROFILE_SCAN_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/postgres/connection_pool.h"
#include "fleet/store/index.h"
#include "fleet/store/shared/profile_rows.h"
#include "fleet/store/shared/schema.h"
#include "fleet/store/shared/series_table.h"

namespace wallprof::store::shared {

// The whole seconds of a query's time.
Seconds SecondsOfQuery(const Query& query);

absl::StatusOr<std::vector<IndexEntry>> EntriesOf(
    postgres::Connection& connection, SeriesTable& series,
    std::vector<ProfileRow> rows);

// See Index::Find. Each page is a statement of its own: whoever takes slowly
// holds no connection and no old rows, whoever ends has nothing left to read,
// and a connection that breaks costs a page.
absl::Status ScanProfiles(
    postgres::ConnectionPool& pool, SeriesTable& series,
    absl::Duration patience, const Query& query,
    absl::FunctionRef<bool(const IndexEntry& entry)> take);

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_PROFILE_SCAN_H_
