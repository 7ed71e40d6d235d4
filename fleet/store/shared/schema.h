// The tables of a store in PostgreSQL, in the first schema of the search path.
//
//   wallprof_store      one row: the version, and who does the housekeeping
//   wallprof_series     what a series' number stands for
//   wallprof_profiles   a row a profile, in a partition for each day
//   wallprof_days       which partitions there are
//   wallprof_segments   which segments there are, and what is left in them
//   wallprof_dictionaries
//
// Text of others is kept as bytes, since PostgreSQL's text cannot have all.
#ifndef WALLPROF_FLEET_STORE_SHARED_SCHEMA_H_
#define WALLPROF_FLEET_STORE_SHARED_SCHEMA_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/postgres/connection.h"

namespace wallprof::store::shared {

// Seconds since 1970, both belong to it.
struct Seconds {
  int64_t from = 0;
  int64_t to = 0;
};

// A day since 1970 and its seconds.
int64_t DayOf(int64_t second);
Seconds SecondsOf(int64_t day);

// Makes the tables where there are none. FailedPrecondition if they are of a
// newer version. Several may do it at once.
absl::Status MakeTables(postgres::Connection& connection);

// Makes the partition of `day` where there is none, without holding up those
// who add to others.
absl::Status MakeDay(postgres::Connection& connection, int64_t day);

// Drops the partition of `day` if it is empty; Unavailable if it was in use.
absl::Status DropEmptyDay(postgres::Connection& connection, int64_t day);

// The days that have a partition and some of `seconds`, in order.
absl::StatusOr<std::vector<int64_t>> ListDays(postgres::Connection& connection,
                                              const Seconds& seconds);

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_SCHEMA_H_
