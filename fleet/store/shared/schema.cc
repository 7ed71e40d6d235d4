#include "fleet/store/shared/schema.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"

namespace wallprof::store::shared {
namespace {

constexpr int64_t kSecondsOfDay = 86400;
constexpr int64_t kVersion = 1;

// Of stores in other schemas of the database, each has its own.
constexpr char kLock[] = R"(SELECT pg_advisory_xact_lock(
  hashtextextended('wallprof ' || current_schema(), 0));)";

// Profiles are found by their time and id, or by their series and time; both in
// one day's partition at a time. Segments are told by a hash of their name, so
// that a profile and its segment are added by one statement.
constexpr char kTables[] = R"(
CREATE TABLE wallprof_store (
  version int8 NOT NULL,
  leader text COLLATE "C" NOT NULL DEFAULT '',
  lead_until timestamptz NOT NULL DEFAULT '-infinity');
CREATE TABLE wallprof_series (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  service bytea NOT NULL,
  type bytea NOT NULL,
  labels bytea NOT NULL,
  used_at timestamptz NOT NULL,
  is_empty bool NOT NULL DEFAULT true) WITH (fillfactor = 80);
CREATE INDEX wallprof_series_service ON wallprof_series USING hash (service);
CREATE TABLE wallprof_days (day int8 PRIMARY KEY);
CREATE TABLE wallprof_profiles (
  second int8 NOT NULL,
  id text COLLATE "C" NOT NULL,
  series int8 NOT NULL,
  segment uuid NOT NULL,
  position int8 NOT NULL,
  bytes int8 NOT NULL,
  message_bytes int8 NOT NULL,
  PRIMARY KEY (second, id)) PARTITION BY RANGE (second);
CREATE INDEX wallprof_profiles_series ON wallprof_profiles (series, second);
CREATE TABLE wallprof_segments (
  key uuid PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  profiles int8 NOT NULL,
  bytes int8 NOT NULL,
  oldest int8 NOT NULL,
  newest int8 NOT NULL) WITH (fillfactor = 80);
CREATE TABLE wallprof_dictionaries (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token uuid NOT NULL UNIQUE,
  service bytea NOT NULL,
  bytes bytea NOT NULL);
CREATE INDEX wallprof_dictionaries_service ON wallprof_dictionaries
  USING hash (service);
INSERT INTO wallprof_store VALUES (1);
)";

// Attached when it is made, a partition locks out nobody; made as one, it would
// wait for all who read or write, and they for it.
constexpr char kMakeDay[] = R"(
DO $$$$ BEGIN
  IF NOT EXISTS (SELECT FROM wallprof_days WHERE day = $0) THEN
    CREATE TABLE $1 (LIKE wallprof_profiles INCLUDING ALL);
    ALTER TABLE wallprof_profiles ATTACH PARTITION $1
      FOR VALUES FROM ($2) TO ($3);
    INSERT INTO wallprof_days VALUES ($0);
  END IF;
END $$$$;
)";

// While it waits for those who read or write, others wait behind it.
constexpr char kDropDay[] = R"(
SET LOCAL lock_timeout = '1s';
LOCK TABLE wallprof_profiles IN ACCESS EXCLUSIVE MODE;
DO $$$$ BEGIN
  IF EXISTS (SELECT FROM wallprof_days WHERE day = $0) AND
     NOT EXISTS (SELECT FROM $1) THEN
    DROP TABLE $1;
    DELETE FROM wallprof_days WHERE day = $0;
  END IF;
END $$$$;
)";

std::string PartitionOf(int64_t day) {
  return absl::StrCat(
      "wallprof_profiles_",
      absl::FormatTime("%Y%m%d", absl::FromUnixSeconds(SecondsOf(day).from),
                       absl::UTCTimeZone()));
}

absl::Status RunLocked(postgres::Connection& connection,
                       const std::string& script) {
  return connection.RunScript(absl::StrCat("BEGIN;", kLock, script, "COMMIT;"));
}

std::string Filled(const char* script, int64_t day) {
  const auto [from, to] = SecondsOf(day);
  return absl::Substitute(script, day, PartitionOf(day), from, to + 1);
}

}  // namespace

int64_t DayOf(int64_t second) { return second / kSecondsOfDay; }

Seconds SecondsOf(int64_t day) {
  return {day * kSecondsOfDay, day * kSecondsOfDay + kSecondsOfDay - 1};
}

absl::Status MakeTables(postgres::Connection& connection) {
  const absl::StatusOr<postgres::Rows> there =
      connection.Run("SELECT to_regclass('wallprof_store') IS NOT NULL");
  if (!there.ok()) return there.status();
  if (!there->IsTrue(0, 0)) {
    const absl::Status made = RunLocked(
        connection,
        absl::StrCat("DO $made$ BEGIN IF to_regclass('wallprof_store') IS NULL "
                     "THEN ",
                     kTables, "END IF; END $made$;"));
    if (!made.ok()) return made;
  }
  const absl::StatusOr<postgres::Rows> version =
      connection.Run("SELECT version FROM wallprof_store");
  if (!version.ok()) return version.status();
  if (version->size() != 1) {
    return absl::DataLossError("wallprof_store must have one row");
  }
  if (version->Number(0, 0) != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the tables are of version ", version->Number(0, 0),
                     " and this program knows version ", kVersion));
  }
  return absl::OkStatus();
}

absl::Status MakeDay(postgres::Connection& connection, int64_t day) {
  return RunLocked(connection, Filled(kMakeDay, day));
}

absl::Status DropEmptyDay(postgres::Connection& connection, int64_t day) {
  return RunLocked(connection, Filled(kDropDay, day));
}

absl::StatusOr<std::vector<int64_t>> ListDays(postgres::Connection& connection,
                                              const Seconds& seconds) {
  if (seconds.from > seconds.to) return std::vector<int64_t>();
  const absl::StatusOr<postgres::Rows> rows = connection.Run(
      "SELECT day FROM wallprof_days WHERE day BETWEEN $1 AND $2 ORDER BY day",
      {absl::StrCat(DayOf(std::max<int64_t>(seconds.from, 0))),
       absl::StrCat(seconds.to < 0 ? -1 : DayOf(seconds.to))});
  if (!rows.ok()) return rows.status();
  std::vector<int64_t> days(rows->size());
  for (int i = 0; i < rows->size(); ++i) days[i] = rows->Number(i, 0);
  return days;
}

}  // namespace wallprof::store::shared
