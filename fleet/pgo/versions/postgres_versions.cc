#include "fleet/pgo/versions/postgres_versions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/names.h"
#include "fleet/pgo/uuid.h"

namespace wallprof::pgo {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(2);

// Those who start at once wait for each other: CREATE TABLE IF NOT EXISTS alone
// fails where two make it. One sequence for all rows: no revision returns, not
// even where a row was removed by hand. A record is kept as bytes, since
// PostgreSQL's text cannot have all. `change` is who wrote it, for one who did
// not hear whether it was written.
constexpr char kMakeTable[] = R"(
BEGIN;
SELECT pg_advisory_xact_lock(
  hashtextextended('wallprof pgo ' || current_schema(), 0));
CREATE SEQUENCE IF NOT EXISTS wallprof_pgo_revisions;
CREATE TABLE IF NOT EXISTS wallprof_pgo_versions (
  app text COLLATE "C" PRIMARY KEY,
  revision int8 NOT NULL,
  record bytea NOT NULL,
  change uuid NOT NULL);
COMMIT;
)";

constexpr char kIsThere[] =
    "SELECT to_regclass('wallprof_pgo_versions') IS NOT NULL";

constexpr char kGet[] =
    "SELECT revision, record FROM wallprof_pgo_versions WHERE app = $1";

// Each in one statement: of two that run at once one finds the other's row.
constexpr char kInsert[] = R"(
INSERT INTO wallprof_pgo_versions (app, revision, record, change)
VALUES ($1, nextval('wallprof_pgo_revisions'), $2, $3)
ON CONFLICT (app) DO NOTHING RETURNING revision)";
constexpr char kUpdate[] = R"(
UPDATE wallprof_pgo_versions SET
  revision = nextval('wallprof_pgo_revisions'), record = $2, change = $3
WHERE app = $1 AND revision = $4 RETURNING revision)";

constexpr char kMine[] =
    "SELECT revision FROM wallprof_pgo_versions WHERE app = $1 AND change = $2";

constexpr char kList[] = R"(
SELECT app, revision, record FROM wallprof_pgo_versions
WHERE record <> '' ORDER BY app)";

BaseVersion VersionOf(const postgres::Rows& rows, int row, int column) {
  return {rows.Bytes(row, column + 1),
          static_cast<uint64_t>(rows.Number(row, column))};
}

}  // namespace

absl::StatusOr<std::unique_ptr<BaseVersions>> PostgresVersions::Open(
    std::string url, absl::Duration patience) {
  std::unique_ptr<PostgresVersions> versions(
      new PostgresVersions(std::move(url), patience));
  const absl::Status made =
      versions->pool_.Run(patience, [](postgres::Connection& connection, int) {
        // One who may not make tables may have found it made.
        const auto there = connection.Run(kIsThere);
        if (!there.ok()) return there.status();
        return there->IsTrue(0, 0) ? absl::OkStatus()
                                   : connection.RunScript(kMakeTable);
      });
  if (!made.ok()) return made;
  return versions;
}

absl::StatusOr<postgres::Rows> PostgresVersions::Run(
    absl::Duration patience, const std::string& sql,
    absl::Span<const std::string> parameters) {
  absl::StatusOr<postgres::Rows> rows = postgres::Rows();
  const absl::Status run =
      pool_.Run(patience, [&](postgres::Connection& connection, int) {
        rows = connection.Run(sql, parameters, patience);
        return rows.status();
      });
  if (!run.ok()) return run;
  return rows;
}

absl::StatusOr<BaseVersion> PostgresVersions::Get(std::string_view app) {
  if (absl::Status named = CheckApp(app); !named.ok()) return named;
  const auto rows = Run(patience_, kGet, {std::string(app)});
  if (!rows.ok()) return rows.status();
  return rows->size() == 0 ? BaseVersion{} : VersionOf(*rows, 0, 0);
}

absl::StatusOr<uint64_t> PostgresVersions::Replace(std::string_view app,
                                                   uint64_t revision,
                                                   std::string_view record) {
  if (absl::Status fits = CheckReplacement(app, record); !fits.ok()) {
    return fits;
  }
  const std::string change = NewUuid();
  std::vector<std::string> parameters = {
      std::string(app), postgres::BytesLiteral(record), change};
  if (revision != 0) parameters.push_back(absl::StrCat(revision));
  uint64_t replaced = 0;
  const absl::Status status =
      pool_.Run(patience_, [&](postgres::Connection& connection, int attempt) {
        auto rows = connection.Run(revision == 0 ? kInsert : kUpdate,
                                   parameters, patience_);
        if (rows.ok() && rows->size() == 0 && attempt > 0) {
          // The attempt before may have done it, and gone unheard.
          rows = connection.Run(kMine, {std::string(app), change}, patience_);
        }
        if (!rows.ok()) return rows.status();
        if (rows->size() == 0) {
          return absl::AbortedError(
              absl::StrCat("the version of ", std::string(app),
                           " has been replaced by another"));
        }
        replaced = static_cast<uint64_t>(rows->Number(0, 0));
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return replaced;
}

absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>>
PostgresVersions::List() {
  const auto rows = Run(patience_, kList, {});
  if (!rows.ok()) return rows.status();
  std::vector<std::pair<std::string, BaseVersion>> listed;
  for (int row = 0; row < rows->size(); ++row) {
    listed.emplace_back(rows->Text(row, 0), VersionOf(*rows, row, 1));
  }
  return listed;
}

absl::Status PostgresVersions::Check() {
  return Run(std::min(patience_, kCheckPatience), kGet, {"check"}).status();
}

}  // namespace wallprof::pgo
