// What an index in PostgreSQL has besides profiles, and who clears it away.
#include <sys/random.h>

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/store/shared/postgres_index.h"
#include "fleet/store/shared/profile_scan.h"
#include "fleet/store/shared/schema.h"

namespace wallprof::store::shared {
namespace {

// Of somebody who asks whether it works right now; what a restart has left
// behind is replaced within.
constexpr absl::Duration kCheckPatience = absl::Seconds(1);

// Who leads also clears away partitions and series that are empty, so often.
constexpr absl::Duration kClearEvery = absl::Hours(1);

// An empty partition stays for so many days: late profiles would make it anew.
constexpr int64_t kKeepEmptyDays = 2;

// What no other collector or call has.
std::string RandomUuid() {
  char bytes[16];
  static_cast<void>(getrandom(bytes, sizeof bytes, 0));  // so few are given
  return absl::BytesToHexString({bytes, sizeof bytes});
}

}  // namespace

PostgresIndex::PostgresIndex(const std::string& url)
    : pool_(url), name_(RandomUuid()) {}

// --- segments and dictionaries -----------------------------------------------

absl::StatusOr<std::vector<SegmentUse>> PostgresIndex::ListSegments() {
  const absl::StatusOr<postgres::Rows> rows =
      Run("SELECT name, profiles, bytes, newest FROM wallprof_segments "
          "ORDER BY name");
  if (!rows.ok()) return rows.status();
  std::vector<SegmentUse> uses;
  for (int i = 0; i < rows->size(); ++i) {
    const int64_t profiles = rows->Number(i, 1);
    uses.push_back({std::string(rows->Text(i, 0)), profiles, rows->Number(i, 2),
                    profiles > 0 ? absl::FromUnixSeconds(rows->Number(i, 3))
                                 : absl::InfinitePast()});
  }
  return uses;
}

absl::Status PostgresIndex::ForgetSegment(std::string_view segment) {
  // One that profiles have been added in meanwhile is not to be lost.
  const absl::StatusOr<postgres::Rows> rows =
      Run("WITH gone AS (DELETE FROM wallprof_segments WHERE key = $1::uuid "
          "AND profiles = 0 RETURNING key) SELECT EXISTS (SELECT FROM "
          "wallprof_segments WHERE key = $1::uuid AND profiles > 0)",
          {SegmentKey(segment)});
  if (!rows.ok()) return rows.status();
  if (rows->IsTrue(0, 0)) {
    return absl::FailedPreconditionError(
        absl::StrCat("segment ", std::string(segment), " has profiles"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PostgresIndex::AddDictionary(std::string_view service,
                                                     std::string_view bytes) {
  // The token tells a second attempt from a second dictionary.
  const absl::StatusOr<postgres::Rows> rows = Run(
      "INSERT INTO wallprof_dictionaries (token, service, bytes) "
      "VALUES ($1::uuid, $2::bytea, $3::bytea) "
      "ON CONFLICT (token) DO UPDATE SET token = excluded.token RETURNING id",
      {RandomUuid(), postgres::BytesLiteral(service),
       postgres::BytesLiteral(bytes)});
  if (!rows.ok()) return rows.status();
  return rows->Number(0, 0);
}

absl::StatusOr<Dictionary> PostgresIndex::GetDictionary(int64_t id) {
  const absl::StatusOr<postgres::Rows> rows =
      Run("SELECT id, bytes FROM wallprof_dictionaries WHERE id = $1::int8",
          {absl::StrCat(id)});
  if (!rows.ok()) return rows.status();
  if (rows->size() == 0) {
    return absl::NotFoundError(absl::StrCat("there is no dictionary ", id));
  }
  return Dictionary{rows->Number(0, 0), rows->Bytes(0, 1)};
}

absl::StatusOr<std::optional<Dictionary>> PostgresIndex::LatestDictionary(
    std::string_view service) {
  const absl::StatusOr<postgres::Rows> rows = Run(
      "SELECT id, bytes FROM wallprof_dictionaries WHERE service = $1::bytea "
      "ORDER BY id DESC LIMIT 1",
      {postgres::BytesLiteral(service)});
  if (!rows.ok()) return rows.status();
  if (rows->size() == 0) return std::optional<Dictionary>();
  return std::optional<Dictionary>({rows->Number(0, 0), rows->Bytes(0, 1)});
}

// --- housekeeping ------------------------------------------------------------

absl::StatusOr<bool> PostgresIndex::Lead(absl::Duration term) {
  // By the server's clock, which all collectors share.
  const absl::StatusOr<postgres::Rows> rows = Run(
      "UPDATE wallprof_store SET leader = $1, lead_until = "
      "clock_timestamp() + $2::int8 * interval '1 millisecond' "
      "WHERE leader = $1 OR lead_until < clock_timestamp() RETURNING leader",
      {name_, absl::StrCat(absl::ToInt64Milliseconds(term))});
  if (!rows.ok()) return rows.status();
  if (rows->size() == 0) return false;
  {
    std::lock_guard lock(mutex_);
    if (absl::Now() < next_clearing_) return true;
    next_clearing_ = absl::Now() + kClearEvery;
  }
  const absl::Status cleared = pool_.Run(
      kPatience, [this](postgres::Connection& c, int) { return ClearAway(c); });
  if (!cleared.ok()) return cleared;
  return true;
}

absl::Status PostgresIndex::ClearAway(postgres::Connection& connection) {
  const absl::StatusOr<std::vector<int64_t>> unused =
      series_.ListUnused(connection);
  if (!unused.ok()) return unused.status();
  const absl::StatusOr<std::vector<int64_t>> empty =
      WithoutProfiles(connection, *unused, SecondsOfQuery({}));
  if (!empty.ok()) return empty.status();
  absl::Status status = series_.RemoveUnused(connection, *empty);
  if (!status.ok()) return status;

  const int64_t today = DayOf(absl::ToUnixSeconds(absl::Now()));
  const absl::StatusOr<std::vector<int64_t>> days =
      ListDays(connection, {0, SecondsOf(today - kKeepEmptyDays).from - 1});
  if (!days.ok()) return days.status();
  for (const int64_t day : *days) {
    const absl::StatusOr<std::vector<ProfileRow>> first =
        ReadPage(connection,
                 {.seconds = SecondsOf(day), .after_second = -1, .limit = 1});
    if (!first.ok()) return first.status();
    if (!first->empty()) continue;
    status = DropEmptyDay(connection, day);
    if (!status.ok()) return status;
    std::lock_guard lock(mutex_);
    days_.erase(day);
  }
  return absl::OkStatus();
}

absl::Status PostgresIndex::Check() {
  return pool_.Run(kCheckPatience, [](postgres::Connection& connection, int) {
    return connection
        .Run("SELECT version FROM wallprof_store", {}, kCheckPatience)
        .status();
  });
}

}  // namespace wallprof::store::shared
