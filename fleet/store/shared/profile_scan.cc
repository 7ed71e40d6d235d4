#include "fleet/store/shared/profile_scan.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/postgres/rows.h"

namespace wallprof::store::shared {
namespace {

// A short list is answered quickly, a long one in few round trips.
constexpr int kFirstRows = 200;
constexpr int kRows = 2000;

// The rows of some series are in order of time once they are sorted, all those
// of a window for each page; so a window is to have about a page.
constexpr int64_t kFirstWindow = 3600;
constexpr int64_t kLongestWindow = 86400;
constexpr int64_t kShortestWindow = 60;

// A scan through the days, page by page.
class Scan {
 public:
  Scan(const Seconds& seconds, std::vector<int64_t> days,
       const std::string* series)
      : seconds_(seconds), days_(std::move(days)), series_(series) {
    StartDay();
  }

  bool AtEnd() const { return day_ == days_.size(); }

  Page Next() const {
    const int64_t window = series_ == nullptr ? kLongestWindow : window_;
    return {{from_, std::min(from_ + window - 1, DayEnd())},
            after_second_,
            after_id_,
            series_,
            rows_};
  }

  // What Next() has found.
  void Found(const Page& page, const std::vector<ProfileRow>& rows) {
    if (rows.size() == static_cast<size_t>(page.limit)) {
      from_ = after_second_ = rows.back().second;
      after_id_ = rows.back().id;
      window_ = std::max(window_ / 2, kShortestWindow);
    } else {
      if (rows.size() < static_cast<size_t>(page.limit) / 4) {
        window_ = std::min(2 * window_, kLongestWindow);
      }
      from_ = page.seconds.to + 1;
      after_second_ = page.seconds.to;
      after_id_.clear();
      if (from_ > DayEnd()) {
        ++day_;
        StartDay();
      }
    }
    rows_ = kRows;
  }

 private:
  int64_t DayEnd() const {
    return std::min(SecondsOf(days_[day_]).to, seconds_.to);
  }

  void StartDay() {
    if (AtEnd()) return;
    from_ = std::max(SecondsOf(days_[day_]).from, seconds_.from);
    after_second_ = from_ - 1;
    after_id_.clear();
  }

  const Seconds seconds_;
  const std::vector<int64_t> days_;
  const std::string* const series_;
  size_t day_ = 0;
  int64_t from_ = 0;
  int64_t after_second_ = 0;
  std::string after_id_;
  int64_t window_ = kFirstWindow;
  int rows_ = kFirstRows;
};

}  // namespace

Seconds SecondsOfQuery(const Query& query) {
  static constexpr int64_t kLast = std::numeric_limits<int64_t>::max() / 2;
  const auto bounded = [](absl::Time time) {
    return std::clamp<int64_t>(absl::ToUnixSeconds(time), -1, kLast);
  };
  const int64_t from = bounded(query.from);
  return {absl::FromUnixSeconds(from) < query.from ? from + 1 : from,
          bounded(query.to)};
}

absl::StatusOr<std::vector<IndexEntry>> EntriesOf(
    postgres::Connection& connection, SeriesTable& series,
    std::vector<ProfileRow> rows) {
  std::vector<int64_t> numbers;
  for (const ProfileRow& row : rows) numbers.push_back(row.series);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  const absl::StatusOr<SeriesTable::ByNumber> found =
      series.Get(connection, numbers);
  if (!found.ok()) return found.status();
  std::vector<IndexEntry> entries;
  for (ProfileRow& row : rows) {
    const auto one = found->find(row.series);
    if (one == found->end()) {
      return absl::DataLossError(
          absl::StrCat("profile ", row.id, " is of series ", row.series,
                       ", which is not in wallprof_series"));
    }
    entries.push_back(
        {{std::move(row.id), *one->second, absl::FromUnixSeconds(row.second)},
         std::move(row.place),
         row.message_bytes});
  }
  return entries;
}

absl::Status ScanProfiles(
    postgres::ConnectionPool& pool, SeriesTable& series,
    absl::Duration patience, const Query& query,
    absl::FunctionRef<bool(const IndexEntry& entry)> take) {
  const Seconds seconds = SecondsOfQuery(query);
  const bool all_series = query.selector.matchers().empty();
  std::vector<int64_t> days;
  std::string numbers;
  absl::Status status =
      pool.Run(patience, [&](postgres::Connection& connection, int) {
        absl::StatusOr<std::vector<int64_t>> listed =
            ListDays(connection, seconds);
        if (!listed.ok()) return listed.status();
        days = *std::move(listed);
        if (all_series || days.empty()) return absl::OkStatus();
        const absl::StatusOr<SeriesTable::ByNumber> found =
            series.Find(connection, query.selector);
        if (!found.ok()) return found.status();
        if (found->empty()) days.clear();
        postgres::ArrayLiteral array;
        for (const auto& [number, one] : *found) array.Add(number);
        numbers = std::move(array).Done();
        return absl::OkStatus();
      });
  if (!status.ok()) return status;

  Scan scan(seconds, std::move(days), all_series ? nullptr : &numbers);
  while (!scan.AtEnd()) {
    const Page page = scan.Next();
    absl::StatusOr<std::vector<ProfileRow>> rows = std::vector<ProfileRow>();
    std::vector<IndexEntry> entries;
    status = pool.Run(patience, [&](postgres::Connection& connection, int) {
      rows = ReadPage(connection, page);
      if (!rows.ok()) return rows.status();
      absl::StatusOr<std::vector<IndexEntry>> made =
          EntriesOf(connection, series, *rows);
      if (made.ok()) entries = *std::move(made);
      return made.status();
    });
    if (!status.ok()) return status;
    scan.Found(page, *rows);
    for (const IndexEntry& entry : entries) {
      if (!take(entry)) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace wallprof::store::shared
