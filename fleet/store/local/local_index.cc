#include "fleet/store/local/local_index.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fleet/files/files.h"
#include "fleet/store/local/schema.h"

namespace wallprof::store::local {

LocalIndex::LocalIndex(std::string directory)
    : directory_(std::move(directory)), reserve_(directory_ + "/reserve") {}

absl::StatusOr<std::unique_ptr<LocalIndex>> LocalIndex::Open(
    const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory + "/dictionaries", error);
  if (error) return fleet::FileError(error.value(), directory);
  auto writer = Database::Open(directory + "/index.sqlite");
  if (!writer.ok()) return writer.status();
  std::unique_ptr<LocalIndex> index(new LocalIndex(directory));
  index->writer_ = *std::move(writer);
  if (absl::Status made = index->writer_->Execute(kSchema); !made.ok()) {
    return made;
  }
  if (absl::Status loaded = index->Load(); !loaded.ok()) return loaded;
  if (absl::Status loaded = index->LoadDictionaries(); !loaded.ok()) {
    return loaded;
  }
  index->reserve_.Take();
  return index;
}

absl::Status LocalIndex::Load() {
  Statement& rows = writer_->Use(
      "SELECT series.key, service, services.name, type, labels FROM series "
      "JOIN services ON services.key = service");
  while (true) {
    const absl::StatusOr<bool> row = rows.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    auto series = std::make_shared<Series>();
    series->service = rows.Text(2);
    series->type = rows.Text(3);
    series->labels = UnpackLabels(rows.Text(4));
    series_.Insert({rows.Int(0), rows.Int(1), std::move(series)});
  }
  rows.Reset();
  return absl::OkStatus();
}

absl::Status LocalIndex::Change(
    bool syncs, absl::FunctionRef<absl::Status(Changes&)> body) {
  const std::lock_guard lock(writing_);
  const absl::Status done = ChangeOnce(syncs, body);
  if (!syncs || !absl::IsResourceExhausted(done) || !reserve_.Give()) {
    return done;
  }
  return ChangeOnce(syncs, body);
}

absl::Status LocalIndex::ChangeOnce(
    bool syncs, absl::FunctionRef<absl::Status(Changes&)> body) {
  if (syncs) {
    absl::Status set = writer_->Execute("PRAGMA synchronous=FULL");
    if (!set.ok()) return set;
  }
  const absl::Cleanup reset = [this, syncs] {
    if (syncs) writer_->Execute("PRAGMA synchronous=NORMAL").IgnoreError();
  };
  Changes changes;
  absl::Status done;
  {
    Transaction transaction(*writer_);
    done = transaction.begun();
    if (done.ok()) done = body(changes);
    if (done.ok()) done = ApplyCounts(changes);
    if (done.ok()) done = transaction.Commit();
  }
  for (const Series& series : done.ok() ? changes.emptied : changes.made) {
    series_.Erase(series);
  }
  return done;
}

absl::Status LocalIndex::ApplyCounts(Changes& changes) {
  for (const auto& [key, counts] : changes.segments) {
    absl::Status changed =
        writer_
            ->Use(
                "UPDATE segments SET profiles = profiles + ?, "
                "bytes = bytes + ?, newest = max(newest, ?), "
                "known = max(known, ?) WHERE key = ?")
            .Bind(counts.profiles)
            .Bind(counts.bytes)
            .Bind(counts.newest)
            .Bind(counts.known)
            .Bind(key)
            .Run();
    if (!changed.ok()) return changed;
  }
  for (const auto& [key, counts] : changes.series) {
    absl::Status changed =
        writer_->Use("UPDATE series SET profiles = profiles + ? WHERE key = ?")
            .Bind(counts.profiles)
            .Bind(key)
            .Run();
    if (!changed.ok()) return changed;
    if (counts.profiles > 0) continue;
    Statement& empty = writer_->Use(
        "DELETE FROM series WHERE key = ? AND profiles = 0 "
        "RETURNING (SELECT name FROM services WHERE services.key = service), "
        "type, labels");
    const absl::StatusOr<bool> row = empty.Bind(key).Step();
    if (!row.ok()) return row.status();
    if (*row) {
      changes.emptied.push_back({std::string(empty.Text(0)),
                                 std::string(empty.Text(1)),
                                 UnpackLabels(empty.Text(2))});
    }
    if (absl::Status ended = empty.Run(); !ended.ok()) return ended;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> LocalIndex::ServiceOf(const std::string& service) {
  absl::Status made =
      writer_->Use("INSERT OR IGNORE INTO services(name) VALUES(?)")
          .Bind(service)
          .Run();
  if (!made.ok()) return made;
  Statement& key = writer_->Use("SELECT key FROM services WHERE name = ?");
  const absl::StatusOr<bool> row = key.Bind(service).Step();
  if (!row.ok()) return row.status();
  const int64_t found = key.Int(0);
  key.Reset();
  return found;
}

absl::StatusOr<SeriesTable::Row> LocalIndex::SeriesOf(const Series& series,
                                                      Changes& changes) {
  if (auto known = series_.Find(series); known.has_value()) return *known;
  const absl::StatusOr<int64_t> service = ServiceOf(series.service);
  if (!service.ok()) return service.status();
  const std::string labels = PackLabels(series.labels);
  absl::Status made =
      writer_->Use("INSERT INTO series(service, type, labels) VALUES(?, ?, ?)")
          .Bind(*service)
          .Bind(series.type)
          .Bind(labels)
          .Run();
  if (!made.ok()) return made;
  SeriesTable::Row row = {writer_->last_key(), *service,
                          std::make_shared<Series>(series)};
  series_.Insert(row);
  changes.made.push_back(series);
  return row;
}

absl::StatusOr<int64_t> LocalIndex::SegmentOf(std::string_view segment,
                                              Changes& changes) {
  const auto known = changes.segment_keys.find(segment);
  if (known != changes.segment_keys.end()) return known->second;
  absl::Status made =
      writer_->Use("INSERT OR IGNORE INTO segments(name) VALUES(?)")
          .Bind(segment)
          .Run();
  if (!made.ok()) return made;
  Statement& key = writer_->Use("SELECT key FROM segments WHERE name = ?");
  const absl::StatusOr<bool> row = key.Bind(segment).Step();
  if (!row.ok()) return row.status();
  const int64_t found = key.Int(0);
  key.Reset();
  changes.segment_keys.emplace(segment, found);
  return found;
}

absl::StatusOr<bool> LocalIndex::AddOne(const IndexEntry& entry,
                                        Changes& changes) {
  const absl::StatusOr<SeriesTable::Row> series =
      SeriesOf(entry.info.series, changes);
  if (!series.ok()) return series.status();
  const absl::StatusOr<int64_t> segment =
      SegmentOf(entry.place.segment, changes);
  if (!segment.ok()) return segment.status();
  const int64_t created_at = absl::ToUnixSeconds(entry.info.created_at);
  absl::Status added =
      writer_
          ->Use(
              "INSERT OR IGNORE INTO profiles(service, created_at, id, "
              "series, segment, offset, bytes, message_bytes) "
              "VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
          .Bind(series->service)
          .Bind(created_at)
          .Bind(entry.info.id)
          .Bind(series->key)
          .Bind(*segment)
          .Bind(entry.place.offset)
          .Bind(entry.place.bytes)
          .Bind(entry.message_bytes)
          .Run();
  if (!added.ok()) return added;
  const bool is_new = writer_->changed() > 0;
  Counts& counts = changes.segments[*segment];
  counts.known = std::max(counts.known, entry.place.offset + entry.place.bytes);
  // Counted although it is not new: a series that has no profile goes again.
  changes.series[series->key].profiles += is_new;
  if (!is_new) return false;
  ++counts.profiles;
  counts.bytes += entry.place.bytes;
  counts.newest = std::max(counts.newest, created_at);
  return true;
}

absl::StatusOr<std::vector<bool>> LocalIndex::Add(
    absl::Span<const IndexEntry> entries) {
  std::vector<bool> are_new;
  absl::Status added = Change(false, [&](Changes& changes) {
    for (const IndexEntry& entry : entries) {
      const absl::StatusOr<bool> is_new = AddOne(entry, changes);
      if (!is_new.ok()) return is_new.status();
      are_new.push_back(*is_new);
    }
    return absl::OkStatus();
  });
  if (!added.ok()) return added;
  return are_new;
}

absl::StatusOr<bool> LocalIndex::RemoveOne(std::string_view id,
                                           IndexEntry& removed,
                                           Changes& changes) {
  absl::StatusOr<std::optional<IndexEntry>> found = GetOne(*writer_, id);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return false;
  removed = **std::move(found);
  const auto series = series_.Find(removed.info.series);
  const absl::StatusOr<int64_t> segment =
      SegmentOf(removed.place.segment, changes);
  if (!segment.ok()) return segment.status();
  absl::Status deleted =
      writer_->Use("DELETE FROM profiles WHERE id = ?").Bind(id).Run();
  if (!deleted.ok()) return deleted;
  --changes.series[series->key].profiles;
  --changes.segments[*segment].profiles;
  changes.segments[*segment].bytes -= removed.place.bytes;
  return true;
}

absl::StatusOr<std::vector<IndexEntry>> LocalIndex::Remove(
    absl::Span<const std::string> ids) {
  std::vector<IndexEntry> removed;
  absl::Status changed = Change(true, [&](Changes& changes) {
    removed.clear();
    for (const std::string& id : ids) {
      IndexEntry entry;
      const absl::StatusOr<bool> was_there = RemoveOne(id, entry, changes);
      if (!was_there.ok()) return was_there.status();
      if (*was_there) removed.push_back(std::move(entry));
    }
    return absl::OkStatus();
  });
  if (!changed.ok()) return changed;
  return removed;
}

absl::Status LocalIndex::MoveOne(const Move& move, Changes& changes) {
  const absl::StatusOr<int64_t> from = SegmentOf(move.from.segment, changes);
  if (!from.ok()) return from.status();
  const absl::StatusOr<int64_t> to = SegmentOf(move.to.segment, changes);
  if (!to.ok()) return to.status();
  // Of a profile that was removed meanwhile, too.
  Counts& counts = changes.segments[*to];
  counts.known = std::max(counts.known, move.to.offset + move.to.bytes);
  Statement& moved = writer_->Use(
      "UPDATE profiles SET segment = ?, offset = ?, bytes = ? "
      "WHERE id = ? AND segment = ? AND offset = ? RETURNING created_at");
  const absl::StatusOr<bool> row = moved.Bind(*to)
                                       .Bind(move.to.offset)
                                       .Bind(move.to.bytes)
                                       .Bind(move.id)
                                       .Bind(*from)
                                       .Bind(move.from.offset)
                                       .Step();
  if (!row.ok()) return row.status();
  if (!*row) return absl::OkStatus();
  counts.newest = std::max(counts.newest, moved.Int(0));
  if (absl::Status ended = moved.Run(); !ended.ok()) return ended;
  ++counts.profiles;
  counts.bytes += move.to.bytes;
  --changes.segments[*from].profiles;
  changes.segments[*from].bytes -= move.from.bytes;
  return absl::OkStatus();
}

absl::Status LocalIndex::Relocate(absl::Span<const Move> moves) {
  return Change(true, [&](Changes& changes) {
    for (const Move& move : moves) {
      absl::Status moved = MoveOne(move, changes);
      if (!moved.ok()) return moved;
    }
    return absl::OkStatus();
  });
}

absl::Status LocalIndex::SetKnownBytes(std::string_view segment,
                                       int64_t bytes) {
  return Change(true, [&](Changes& changes) {
    const absl::StatusOr<int64_t> key = SegmentOf(segment, changes);
    if (!key.ok()) return key.status();
    changes.segments[*key].known = bytes;
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> LocalIndex::DropSegment(std::string_view segment) {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(writing_);
    Statement& rows = writer_->Use(
        "SELECT id FROM profiles WHERE segment = "
        "(SELECT key FROM segments WHERE name = ?)");
    rows.Bind(segment);
    while (true) {
      const absl::StatusOr<bool> row = rows.Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      ids.emplace_back(rows.Text(0));
    }
    rows.Reset();
  }
  const absl::StatusOr<std::vector<IndexEntry>> removed = Remove(ids);
  if (!removed.ok()) return removed.status();
  if (absl::Status forgotten = ForgetSegment(segment); !forgotten.ok()) {
    return forgotten;
  }
  return static_cast<int64_t>(removed->size());
}

absl::Status LocalIndex::ForgetSegment(std::string_view segment) {
  return Change(true, [&](Changes&) {
    return writer_->Use("DELETE FROM segments WHERE name = ? AND profiles = 0")
        .Bind(segment)
        .Run();
  });
}

}  // namespace wallprof::store::local
