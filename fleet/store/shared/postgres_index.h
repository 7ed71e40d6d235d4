// An index in PostgreSQL, which several collectors share.
#ifndef WALLPROF_FLEET_STORE_SHARED_POSTGRES_INDEX_H_
#define WALLPROF_FLEET_STORE_SHARED_POSTGRES_INDEX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/postgres/connection_pool.h"
#include "fleet/store/index.h"
#include "fleet/store/shared/profile_rows.h"
#include "fleet/store/shared/series_table.h"

namespace wallprof::store::shared {

// `url` as libpq reads it: "postgresql://USER@HOST:PORT/DATABASE?...". Makes
// the tables where there are none. What fails in a way that may pass, as while
// the server restarts, is tried again for a while, here and in all calls.
//
// InvalidArgument if the URL cannot be read, PermissionDenied or
// FailedPrecondition if the server is not set up for it or a newer version has
// made the tables, and as Index has them. No error shows a password.
absl::StatusOr<std::unique_ptr<Index>> MakePostgresIndex(
    const std::string& url);

class PostgresIndex : public Index {
 public:
  explicit PostgresIndex(const std::string& url);

  // Makes the tables where there are none.
  absl::Status Open();

  absl::StatusOr<std::vector<bool>> Add(
      absl::Span<const IndexEntry> entries) override;
  absl::Status Find(
      const Query& query,
      absl::FunctionRef<bool(const IndexEntry& entry)> take) override;
  absl::StatusOr<std::vector<IndexEntry>> Get(
      absl::Span<const std::string> ids) override;
  absl::StatusOr<std::vector<IndexEntry>> Remove(
      absl::Span<const std::string> ids) override;
  absl::StatusOr<std::vector<Series>> FindSeries(const Query& query) override;
  absl::StatusOr<int64_t> CountSeries() override;
  absl::Status Relocate(absl::Span<const Move> moves) override;
  absl::StatusOr<std::vector<SegmentUse>> ListSegments() override;
  absl::Status ForgetSegment(std::string_view segment) override;
  absl::StatusOr<int64_t> AddDictionary(std::string_view service,
                                        std::string_view bytes) override;
  absl::StatusOr<Dictionary> GetDictionary(int64_t id) override;
  absl::StatusOr<std::optional<Dictionary>> LatestDictionary(
      std::string_view service) override;
  absl::StatusOr<bool> Lead(absl::Duration term) override;
  absl::Status Check() override;

 private:
  // For how long a call is tried again: PostgreSQL restarts in seconds, a
  // stand-by takes over in some ten.
  static constexpr absl::Duration kPatience = absl::Seconds(15);

  using IdsByDay = std::map<int64_t, std::vector<std::string>>;
  using EntriesById = std::map<std::string, IndexEntry>;

  absl::StatusOr<postgres::Rows> Run(
      const std::string& sql, const std::vector<std::string>& parameters = {});
  absl::StatusOr<std::vector<ProfileRow>> NewRows(
      postgres::Connection& connection, absl::Span<const IndexEntry> entries);
  absl::Status MakeDays(postgres::Connection& connection,
                        absl::Span<const ProfileRow> rows);
  absl::StatusOr<std::set<std::string>> Insert(
      postgres::Connection& connection, absl::Span<const ProfileRow> rows);
  absl::Status FindAdded(postgres::Connection& connection,
                         absl::Span<const ProfileRow> rows,
                         std::set<std::string>& added);
  absl::StatusOr<std::set<std::string>> AddOnce(
      postgres::Connection& connection, absl::Span<const IndexEntry> entries,
      bool maybe_there);
  absl::Status RemoveOnce(postgres::Connection& connection,
                          const IdsByDay& days, EntriesById& removed);
  absl::Status Enter(postgres::Connection& connection,
                     std::vector<ProfileRow> rows, EntriesById& entries);
  absl::StatusOr<std::vector<int64_t>> WithoutProfiles(
      postgres::Connection& connection, std::vector<int64_t> series,
      const Seconds& seconds);
  absl::Status ClearAway(postgres::Connection& connection);

  postgres::ConnectionPool pool_;
  SeriesTable series_;
  const std::string name_;
  std::mutex mutex_;
  std::set<int64_t> days_;  // that surely were there
  absl::Time next_clearing_ = absl::InfinitePast();
};

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_POSTGRES_INDEX_H_
