#include "fleet/store/shared/postgres_index.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/postgres/connection_pool.h"
#include "fleet/store/shared/profile_rows.h"
#include "fleet/store/shared/profile_scan.h"
#include "fleet/store/shared/schema.h"
#include "fleet/store/shared/series_table.h"

namespace wallprof::store::shared {
namespace {

// Each once; what is no id is not there.
std::map<int64_t, std::vector<std::string>> ByDay(
    absl::Span<const std::string> ids) {
  std::map<int64_t, std::vector<std::string>> days;
  for (const std::string& id : std::set<std::string>(ids.begin(), ids.end())) {
    const absl::Time time = TimeOfProfileId(id);
    if (time == absl::InfinitePast()) continue;
    days[DayOf(absl::ToUnixSeconds(time))].push_back(id);
  }
  return days;
}

// In the order of `ids`, each once.
std::vector<IndexEntry> InOrder(std::map<std::string, IndexEntry> found,
                                absl::Span<const std::string> ids) {
  std::vector<IndexEntry> entries;
  for (const std::string& id : ids) {
    if (auto entry = found.extract(id)) {
      entries.push_back(std::move(entry.mapped()));
    }
  }
  return entries;
}

}  // namespace

absl::Status PostgresIndex::Open() {
  return pool_.Run(kPatience,
                   [](postgres::Connection& c, int) { return MakeTables(c); });
}

absl::StatusOr<postgres::Rows> PostgresIndex::Run(
    const std::string& sql, const std::vector<std::string>& parameters) {
  absl::StatusOr<postgres::Rows> rows = postgres::Rows();
  const absl::Status run =
      pool_.Run(kPatience, [&](postgres::Connection& c, int) {
        rows = c.Run(sql, parameters);
        return rows.status();
      });
  if (!run.ok()) return run;
  return rows;
}

// --- adding ------------------------------------------------------------------

absl::StatusOr<std::vector<bool>> PostgresIndex::Add(
    absl::Span<const IndexEntry> entries) {
  for (const IndexEntry& entry : entries) {
    if (TimeOfProfileId(entry.info.id) != entry.info.created_at) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the id ", entry.info.id, " is not of a profile's second"));
    }
  }
  std::set<std::string> added;
  const absl::Status run =
      entries.empty()
          ? absl::OkStatus()
          : pool_.Run(
                kPatience, [&](postgres::Connection& connection, int attempt) {
                  absl::StatusOr<std::set<std::string>> ids =
                      AddOnce(connection, entries, /*maybe_there=*/attempt > 0);
                  if (ids.ok()) added = *std::move(ids);
                  return ids.status();
                });
  if (!run.ok()) return run;
  std::vector<bool> is_new;
  for (const IndexEntry& entry : entries) {
    is_new.push_back(added.erase(entry.info.id) > 0);
  }
  return is_new;
}

absl::StatusOr<std::vector<ProfileRow>> PostgresIndex::NewRows(
    postgres::Connection& connection, absl::Span<const IndexEntry> entries) {
  std::vector<ProfileRow> rows;
  std::vector<const Series*> series;
  std::set<std::string> ids;
  for (const IndexEntry& entry : entries) {
    if (!ids.insert(entry.info.id).second) continue;
    rows.push_back({absl::ToUnixSeconds(entry.info.created_at), entry.info.id,
                    0, entry.place, entry.message_bytes});
    series.push_back(&entry.info.series);
  }
  const absl::StatusOr<std::vector<int64_t>> numbers =
      series_.Number(connection, series);
  if (!numbers.ok()) return numbers.status();
  for (size_t i = 0; i < rows.size(); ++i) rows[i].series = (*numbers)[i];
  return rows;
}

absl::Status PostgresIndex::MakeDays(postgres::Connection& connection,
                                     absl::Span<const ProfileRow> rows) {
  std::set<int64_t> missing;
  {
    std::lock_guard lock(mutex_);
    for (const ProfileRow& row : rows) {
      if (days_.count(DayOf(row.second)) == 0)
        missing.insert(DayOf(row.second));
    }
  }
  for (const int64_t day : missing) {
    const absl::Status made = MakeDay(connection, day);
    if (!made.ok()) return made;
    std::lock_guard lock(mutex_);
    days_.insert(day);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<std::string>> PostgresIndex::Insert(
    postgres::Connection& connection, absl::Span<const ProfileRow> rows) {
  absl::Status made = MakeDays(connection, rows);
  if (!made.ok()) return made;
  absl::StatusOr<std::set<std::string>> added =
      InsertProfiles(connection, rows);
  if (!postgres::IsCheckViolation(added.status())) return added;
  // Who leads has dropped it, as it was empty.
  {
    std::lock_guard lock(mutex_);
    days_.clear();
  }
  made = MakeDays(connection, rows);
  if (!made.ok()) return made;
  return InsertProfiles(connection, rows);
}

// `maybe_there`: this was tried before, and may have been done; then what is
// there as it is to be added is what this has added.
absl::StatusOr<std::set<std::string>> PostgresIndex::AddOnce(
    postgres::Connection& connection, absl::Span<const IndexEntry> entries,
    bool maybe_there) {
  const absl::StatusOr<std::vector<ProfileRow>> rows =
      NewRows(connection, entries);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<std::set<std::string>> added = Insert(connection, *rows);
  if (!added.ok()) return added;
  if (maybe_there) {
    const absl::Status there = FindAdded(connection, *rows, *added);
    if (!there.ok()) return there;
  }
  std::vector<int64_t> used;
  for (const ProfileRow& row : *rows) {
    if (added->count(row.id) > 0) used.push_back(row.series);
  }
  const absl::Status marked = series_.MarkUsed(connection, used);
  if (!marked.ok()) return marked;
  return added;
}

absl::Status PostgresIndex::FindAdded(postgres::Connection& connection,
                                      absl::Span<const ProfileRow> rows,
                                      std::set<std::string>& added) {
  IdsByDay days;
  std::map<std::string, Place> places;
  for (const ProfileRow& row : rows) {
    if (added.count(row.id) > 0) continue;
    days[DayOf(row.second)].push_back(row.id);
    places[row.id] = row.place;
  }
  for (const auto& [day, ids] : days) {
    const absl::StatusOr<std::vector<ProfileRow>> there =
        SelectProfiles(connection, day, ids);
    if (!there.ok()) return there.status();
    for (const ProfileRow& row : *there) {
      if (places[row.id] == row.place) added.insert(row.id);
    }
  }
  return absl::OkStatus();
}

// --- finding -----------------------------------------------------------------

absl::Status PostgresIndex::Find(
    const Query& query, absl::FunctionRef<bool(const IndexEntry& entry)> take) {
  return ScanProfiles(pool_, series_, kPatience, query, take);
}

absl::Status PostgresIndex::Enter(postgres::Connection& connection,
                                  std::vector<ProfileRow> rows,
                                  EntriesById& entries) {
  absl::StatusOr<std::vector<IndexEntry>> found =
      EntriesOf(connection, series_, std::move(rows));
  if (!found.ok()) return found.status();
  for (IndexEntry& entry : *found) {
    std::string id = entry.info.id;
    entries.emplace(std::move(id), std::move(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<IndexEntry>> PostgresIndex::Get(
    absl::Span<const std::string> ids) {
  EntriesById found;
  for (const auto& [day, of_day] : ByDay(ids)) {
    const absl::Status run = pool_.Run(
        kPatience,
        [&, day = day, &of_day = of_day](postgres::Connection& c, int) {
          absl::StatusOr<std::vector<ProfileRow>> rows =
              SelectProfiles(c, day, of_day);
          return rows.ok() ? Enter(c, *std::move(rows), found) : rows.status();
        });
    if (!run.ok()) return run;
  }
  return InOrder(std::move(found), ids);
}

absl::StatusOr<std::vector<int64_t>> PostgresIndex::WithoutProfiles(
    postgres::Connection& connection, std::vector<int64_t> series,
    const Seconds& seconds) {
  absl::StatusOr<std::vector<int64_t>> days = ListDays(connection, seconds);
  if (!days.ok()) return days.status();
  // Most have one of late.
  for (auto day = days->rbegin(); day != days->rend() && !series.empty();
       ++day) {
    const Seconds part = {std::max(SecondsOf(*day).from, seconds.from),
                          std::min(SecondsOf(*day).to, seconds.to)};
    const absl::StatusOr<std::vector<int64_t>> found =
        SeriesWithProfiles(connection, part, series);
    if (!found.ok()) return found.status();
    const std::set<int64_t> those(found->begin(), found->end());
    series.erase(
        std::remove_if(series.begin(), series.end(),
                       [&](int64_t number) { return those.count(number) > 0; }),
        series.end());
  }
  return series;
}

absl::StatusOr<std::vector<Series>> PostgresIndex::FindSeries(
    const Query& query) {
  std::vector<Series> found;
  const absl::Status run =
      pool_.Run(kPatience, [&](postgres::Connection& connection, int) {
        absl::StatusOr<SeriesTable::ByNumber> series =
            series_.Find(connection, query.selector);
        if (!series.ok()) return series.status();
        std::vector<int64_t> numbers;
        for (const auto& [number, one] : *series) numbers.push_back(number);
        const absl::StatusOr<std::vector<int64_t>> without = WithoutProfiles(
            connection, std::move(numbers), SecondsOfQuery(query));
        if (!without.ok()) return without.status();
        for (const int64_t number : *without) series->erase(number);
        found.clear();
        for (const auto& [number, one] : *series) found.push_back(*one);
        return absl::OkStatus();
      });
  if (!run.ok()) return run;
  std::sort(found.begin(), found.end());
  return found;
}

absl::StatusOr<int64_t> PostgresIndex::CountSeries() {
  const absl::StatusOr<postgres::Rows> rows =
      Run("SELECT count(*) FROM wallprof_series WHERE NOT is_empty");
  if (!rows.ok()) return rows.status();
  return rows->Number(0, 0);
}

// --- removing and moving -----------------------------------------------------

absl::StatusOr<std::vector<IndexEntry>> PostgresIndex::Remove(
    absl::Span<const std::string> ids) {
  const IdsByDay days = ByDay(ids);
  // Of attempts whose commit was not answered, too: where it was done, the next
  // finds nothing.
  EntriesById removed;
  const absl::Status run =
      days.empty()
          ? absl::OkStatus()
          : pool_.Run(kPatience, [&](postgres::Connection& connection, int) {
              return RemoveOnce(connection, days, removed);
            });
  if (!run.ok()) return run;
  return InOrder(std::move(removed), ids);
}

absl::Status PostgresIndex::RemoveOnce(postgres::Connection& connection,
                                       const IdsByDay& days,
                                       EntriesById& removed) {
  absl::Status status = connection.RunScript("BEGIN");
  Remainders remainders;
  std::set<int64_t> series;
  EntriesById found;
  for (auto day = days.begin(); status.ok() && day != days.end(); ++day) {
    absl::StatusOr<std::vector<ProfileRow>> rows =
        DeleteProfiles(connection, day->first, day->second, remainders);
    for (size_t i = 0; rows.ok() && i < rows->size(); ++i) {
      series.insert((*rows)[i].series);
    }
    status =
        rows.ok() ? Enter(connection, *std::move(rows), found) : rows.status();
  }
  if (status.ok()) status = SettleNewest(connection, remainders);
  if (status.ok()) {
    const absl::StatusOr<std::vector<int64_t>> empty = WithoutProfiles(
        connection, {series.begin(), series.end()}, SecondsOfQuery({}));
    status =
        empty.ok() ? series_.MarkEmpty(connection, *empty) : empty.status();
  }
  if (!status.ok()) return status;
  status = connection.RunScript("COMMIT");
  if (status.ok() || absl::IsUnavailable(status)) removed.merge(found);
  return status;
}

absl::Status PostgresIndex::Relocate(absl::Span<const Move> moves) {
  std::map<int64_t, std::vector<const Move*>> days;
  for (const Move& move : moves) {
    const absl::Time time = TimeOfProfileId(move.id);
    if (time == absl::InfinitePast()) continue;  // not there
    days[DayOf(absl::ToUnixSeconds(time))].push_back(&move);
  }
  return pool_.Run(kPatience, [&](postgres::Connection& connection, int) {
    absl::Status status = connection.RunScript("BEGIN");
    Remainders remainders;
    for (auto day = days.begin(); status.ok() && day != days.end(); ++day) {
      status = MoveProfiles(connection, day->first, day->second, remainders);
    }
    if (status.ok()) status = SettleNewest(connection, remainders);
    if (status.ok()) status = connection.RunScript("COMMIT");
    return status;
  });
}

absl::StatusOr<std::unique_ptr<Index>> MakePostgresIndex(
    const std::string& url) {
  auto index = std::make_unique<PostgresIndex>(url);
  if (absl::Status opened = index->Open(); !opened.ok()) return opened;
  return index;
}

}  // namespace wallprof::store::shared
