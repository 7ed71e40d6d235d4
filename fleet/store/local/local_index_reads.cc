#include <algorithm>
#include <queue>
#include <tuple>
#include <utility>

#include "fleet/store/local/local_index.h"
#include "fleet/store/local/schema.h"

namespace wallprof::store::local {
namespace {

// Connections that are kept when nobody reads: as many as read at once.
constexpr size_t kIdleReaders = 4;

// Fewer series than one in so many of a service's are looked up one by one:
// reading all of a service's profiles takes longer then.
constexpr size_t kFewOfSeries = 8;

// The whole seconds that are in a query's time; both belong to it.
struct Seconds {
  int64_t from;
  int64_t to;
};

Seconds SecondsOf(const Query& query) {
  int64_t from = absl::ToUnixSeconds(query.from);
  if (absl::FromUnixSeconds(from) < query.from) ++from;
  return {from, absl::ToUnixSeconds(query.to)};
}

constexpr std::string_view kSelectById =
    "SELECT p.created_at, p.id, p.series, s.name, p.offset, p.bytes, "
    "p.message_bytes, services.name, series.type, series.labels "
    "FROM profiles p JOIN segments s ON s.key = p.segment "
    "JOIN series ON series.key = p.series "
    "JOIN services ON services.key = p.service WHERE p.id = ?";

constexpr std::string_view kSelectOfService =
    "SELECT p.created_at, p.id, p.series, s.name, p.offset, p.bytes, "
    "p.message_bytes FROM profiles p JOIN segments s ON s.key = p.segment "
    "WHERE p.service = ? AND p.created_at BETWEEN ? AND ? "
    "ORDER BY p.created_at, p.id";

constexpr std::string_view kSelectOfSeries =
    "SELECT p.created_at, p.id, p.series, s.name, p.offset, p.bytes, "
    "p.message_bytes FROM profiles p JOIN segments s ON s.key = p.segment "
    "WHERE p.series = ? AND p.created_at BETWEEN ? AND ? "
    "ORDER BY p.created_at, p.id";

constexpr std::string_view kAnyOfSeries =
    "SELECT 1 FROM profiles WHERE series = ? AND created_at BETWEEN ? AND ? "
    "LIMIT 1";

// Of a row that one of the above gives; the series is left out.
IndexEntry EntryOf(const Statement& row) {
  IndexEntry entry;
  entry.info.created_at = absl::FromUnixSeconds(row.Int(0));
  entry.info.id = row.Text(1);
  entry.place.segment = row.Text(3);
  entry.place.offset = row.Int(4);
  entry.place.bytes = row.Int(5);
  entry.message_bytes = row.Int(6);
  return entry;
}

}  // namespace

class LocalIndex::Reader {
 public:
  static absl::StatusOr<Reader> Lend(LocalIndex& index) {
    {
      const std::lock_guard lock(index.lending_);
      if (!index.readers_.empty()) {
        Reader reader(index, std::move(index.readers_.back()));
        index.readers_.pop_back();
        return reader;
      }
    }
    auto made = Database::Open(index.directory_ + "/index.sqlite");
    if (!made.ok()) return made.status();
    return Reader(index, *std::move(made));
  }

  Reader(Reader&&) = default;
  ~Reader() {
    if (database_ == nullptr) return;
    const std::lock_guard lock(index_->lending_);
    if (index_->readers_.size() < kIdleReaders) {
      index_->readers_.push_back(std::move(database_));
    }
  }

  Database& database() { return *database_; }

 private:
  Reader(LocalIndex& index, std::unique_ptr<Database> database)
      : index_(&index), database_(std::move(database)) {}

  LocalIndex* index_;
  std::unique_ptr<Database> database_;
};

absl::StatusOr<std::optional<IndexEntry>> LocalIndex::GetOne(
    Database& database, std::string_view id) {
  Statement& row = database.Use(kSelectById);
  const absl::StatusOr<bool> found = row.Bind(id).Step();
  if (!found.ok()) return found.status();
  std::optional<IndexEntry> entry;
  if (*found) {
    entry = EntryOf(row);
    Series& series = entry->info.series;
    series.service = row.Text(7);
    series.type = row.Text(8);
    series.labels = UnpackLabels(row.Text(9));
  }
  row.Reset();
  return entry;
}

absl::StatusOr<std::vector<IndexEntry>> LocalIndex::Get(
    absl::Span<const std::string> ids) {
  absl::StatusOr<Reader> reader = Reader::Lend(*this);
  if (!reader.ok()) return reader.status();
  std::vector<IndexEntry> entries;
  for (const std::string& id : ids) {
    absl::StatusOr<std::optional<IndexEntry>> entry =
        GetOne(reader->database(), id);
    if (!entry.ok()) return entry.status();
    if (entry->has_value()) entries.push_back(**std::move(entry));
  }
  return entries;
}

// The profiles of one service, or of one series, in the order of time and id.
class LocalIndex::Cursor {
 public:
  Cursor(std::unique_ptr<Statement> rows, const SeriesTable::Matched& matched)
      : rows_(std::move(rows)), matched_(&matched) {}

  // Goes on to the next that matches; false at the end.
  absl::StatusOr<bool> Next() {
    while (true) {
      absl::StatusOr<bool> row = rows_->Step();
      if (!row.ok() || !*row) return row;
      const auto series = matched_->series.find(rows_->Int(2));
      if (series == matched_->series.end()) continue;
      series_ = series->second.get();
      created_at_ = rows_->Int(0);
      id_ = rows_->Text(1);
      return true;
    }
  }

  IndexEntry entry() const {
    IndexEntry entry = EntryOf(*rows_);
    entry.info.series = *series_;
    return entry;
  }

  bool IsAfter(const Cursor& other) const {
    return std::tie(created_at_, id_) > std::tie(other.created_at_, other.id_);
  }

 private:
  std::unique_ptr<Statement> rows_;
  const SeriesTable::Matched* matched_;
  const Series* series_ = nullptr;
  int64_t created_at_ = 0;
  std::string id_;
};

std::vector<LocalIndex::Cursor> LocalIndex::CursorsOf(
    Database& database, const std::vector<SeriesTable::Matched>& matched,
    const Query& query) {
  const Seconds seconds = SecondsOf(query);
  std::vector<Cursor> cursors;
  for (const SeriesTable::Matched& service : matched) {
    const bool are_few = service.series.size() * kFewOfSeries < service.all;
    std::vector<int64_t> keys;
    if (are_few) {
      for (const auto& [key, _] : service.series) keys.push_back(key);
    } else {
      keys.push_back(service.service);
    }
    for (const int64_t key : keys) {
      auto rows =
          database.Prepare(are_few ? kSelectOfSeries : kSelectOfService);
      rows->Bind(key).Bind(seconds.from).Bind(seconds.to);
      cursors.emplace_back(std::move(rows), service);
    }
  }
  return cursors;
}

absl::Status LocalIndex::Find(
    const Query& query, absl::FunctionRef<bool(const IndexEntry& entry)> take) {
  const std::vector<SeriesTable::Matched> matched =
      series_.Match(query.selector);
  absl::StatusOr<Reader> reader = Reader::Lend(*this);
  if (!reader.ok()) return reader.status();
  // The cursors end before what they read from is given back.
  std::vector<Cursor> cursors = CursorsOf(reader->database(), matched, query);
  const auto is_after = [](const Cursor* a, const Cursor* b) {
    return a->IsAfter(*b);
  };
  std::priority_queue<Cursor*, std::vector<Cursor*>, decltype(is_after)>
      waiting(is_after);
  for (Cursor& cursor : cursors) {
    const absl::StatusOr<bool> has_one = cursor.Next();
    if (!has_one.ok()) return has_one.status();
    if (*has_one) waiting.push(&cursor);
  }
  while (!waiting.empty()) {
    Cursor* const first = waiting.top();
    waiting.pop();
    if (!take(first->entry())) return absl::OkStatus();
    const absl::StatusOr<bool> has_more = first->Next();
    if (!has_more.ok()) return has_more.status();
    if (*has_more) waiting.push(first);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Series>> LocalIndex::FindSeries(const Query& query) {
  const std::vector<SeriesTable::Matched> matched =
      series_.Match(query.selector);
  absl::StatusOr<Reader> reader = Reader::Lend(*this);
  if (!reader.ok()) return reader.status();
  const Seconds seconds = SecondsOf(query);
  std::vector<Series> found;
  for (const SeriesTable::Matched& service : matched) {
    for (const auto& [key, series] : service.series) {
      Statement& any = reader->database().Use(kAnyOfSeries);
      const absl::StatusOr<bool> row =
          any.Bind(key).Bind(seconds.from).Bind(seconds.to).Step();
      if (!row.ok()) return row.status();
      if (*row) found.push_back(*series);
      any.Reset();
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

absl::StatusOr<int64_t> LocalIndex::CountSeries() { return series_.size(); }

absl::StatusOr<std::vector<SegmentUse>> LocalIndex::ListSegments() {
  absl::StatusOr<Reader> reader = Reader::Lend(*this);
  if (!reader.ok()) return reader.status();
  Statement& rows = reader->database().Use(
      "SELECT name, profiles, bytes, newest FROM segments");
  std::vector<SegmentUse> segments;
  while (true) {
    const absl::StatusOr<bool> row = rows.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    segments.push_back({std::string(rows.Text(0)), rows.Int(1), rows.Int(2),
                        absl::FromUnixSeconds(rows.Int(3))});
  }
  rows.Reset();
  return segments;
}

absl::StatusOr<std::optional<int64_t>> LocalIndex::KnownBytes(
    std::string_view segment) {
  absl::StatusOr<Reader> reader = Reader::Lend(*this);
  if (!reader.ok()) return reader.status();
  Statement& rows =
      reader->database().Use("SELECT known FROM segments WHERE name = ?");
  const absl::StatusOr<bool> row = rows.Bind(segment).Step();
  if (!row.ok()) return row.status();
  std::optional<int64_t> known;
  if (*row) known = rows.Int(0);
  rows.Reset();
  return known;
}

absl::Status LocalIndex::Check() {
  absl::StatusOr<Reader> reader = Reader::Lend(*this);
  if (!reader.ok()) return reader.status();
  return reader->database().Use("SELECT 1 FROM segments LIMIT 1").Run();
}

absl::StatusOr<std::optional<Dictionary>> LocalIndex::LatestDictionary(
    std::string_view service) {
  int64_t id = 0;
  {
    absl::StatusOr<Reader> reader = Reader::Lend(*this);
    if (!reader.ok()) return reader.status();
    Statement& latest = reader->database().Use(
        "SELECT max(id) FROM dictionaries WHERE service = ?");
    const absl::StatusOr<bool> row = latest.Bind(service).Step();
    if (!row.ok()) return row.status();
    id = latest.Int(0);
    latest.Reset();
  }
  if (id == 0) return std::nullopt;
  absl::StatusOr<Dictionary> dictionary = GetDictionary(id);
  if (!dictionary.ok()) return dictionary.status();
  return *std::move(dictionary);
}

}  // namespace wallprof::store::local
