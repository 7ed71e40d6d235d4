// The rows of profiles in PostgreSQL, and what their segments have left. A
// call sees the partition of one day, or of several where it says so.
#ifndef WALLPROF_FLEET_STORE_SHARED_PROFILE_ROWS_H_
#define WALLPROF_FLEET_STORE_SHARED_PROFILE_ROWS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fleet/postgres/connection.h"
#include "fleet/store/index.h"
#include "fleet/store/shared/schema.h"

namespace wallprof::store::shared {

struct ProfileRow {
  int64_t second = 0;
  std::string id;
  int64_t series = 0;  // SeriesTable's number
  Place place;
  int64_t message_bytes = 0;
};

// The key of a segment's row.
std::string SegmentKey(std::string_view name);

// Adds those whose ids are not there yet, which may be of several days, and
// gives their ids.
absl::StatusOr<std::set<std::string>> InsertProfiles(
    postgres::Connection& connection, absl::Span<const ProfileRow> rows);

// Which rows to read: those after (`after_second`, `after_id`).
struct Page {
  Seconds seconds;  // of one day
  int64_t after_second = 0;
  std::string after_id;
  const std::string* series = nullptr;  // an array literal; null: all
  int limit = 0;
};
absl::StatusOr<std::vector<ProfileRow>> ReadPage(
    postgres::Connection& connection, const Page& page);

// By their ids, of one day.
absl::StatusOr<std::vector<ProfileRow>> SelectProfiles(
    postgres::Connection& connection, int64_t day,
    absl::Span<const std::string> ids);

// What segments have left after profiles have left them.
struct Remainder {
  int64_t profiles = 0;
  Seconds times;            // all of them are in there
  int64_t left_newest = 0;  // of those that left
};
using Remainders = std::map<std::string, Remainder>;

// In a transaction. Both enter what they change in `remainders`, for
// SettleNewest at the end.
absl::StatusOr<std::vector<ProfileRow>> DeleteProfiles(
    postgres::Connection& connection, int64_t day,
    absl::Span<const std::string> ids, Remainders& remainders);
absl::Status MoveProfiles(postgres::Connection& connection, int64_t day,
                          absl::Span<const Index::Move* const> moves,
                          Remainders& remainders);

// Finds the newest profile of those segments that have lost it, day by day.
absl::Status SettleNewest(postgres::Connection& connection,
                          const Remainders& remainders);

// Those of `numbers`, of series, that have a profile in `seconds`, of one day.
absl::StatusOr<std::vector<int64_t>> SeriesWithProfiles(
    postgres::Connection& connection, const Seconds& seconds,
    const std::vector<int64_t>& numbers);

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_PROFILE_ROWS_H_
