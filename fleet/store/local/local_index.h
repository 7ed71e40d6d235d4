// The index of a store that is in a directory of this machine, in SQLite.
//
//   DIR/index.sqlite       in WAL mode
//   DIR/dictionaries/<id>  each a record, since segments are of no use without
//   DIR/reserve            room for removing on a full disk
//
// Profiles lie in the order of their service and time, which is how they are
// listed. What was added may be missing after a power cut: then whoever opens
// the index reads the segments again from where KnownBytes says. All other
// changes are there for good when the call returns.
#ifndef WALLPROF_FLEET_STORE_LOCAL_LOCAL_INDEX_H_
#define WALLPROF_FLEET_STORE_LOCAL_LOCAL_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/store/index.h"
#include "fleet/store/local/reserve.h"
#include "fleet/store/local/series_table.h"
#include "fleet/store/local/sqlite.h"

namespace wallprof::store::local {

class LocalIndex : public Index {
 public:
  // DataLoss where the file is damaged.
  static absl::StatusOr<std::unique_ptr<LocalIndex>> Open(
      const std::string& directory);

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
  absl::StatusOr<bool> Lead(absl::Duration) override { return true; }
  absl::Status Check() override;

  // The records of `segment` up to there were added once; none if it is not
  // known.
  absl::StatusOr<std::optional<int64_t>> KnownBytes(std::string_view segment);

  // Says so of records that are no profiles any more.
  absl::Status SetKnownBytes(std::string_view segment, int64_t bytes);

  // Removes all profiles in a segment that is gone, and says how many.
  absl::StatusOr<int64_t> DropSegment(std::string_view segment);

 private:
  // What a transaction changes of the counts.
  struct Counts {
    int64_t profiles = 0;
    int64_t bytes = 0;
    int64_t newest = INT64_MIN;
    int64_t known = 0;
  };
  struct Changes {
    std::map<int64_t, Counts> series;
    std::map<int64_t, Counts> segments;
    std::map<std::string, int64_t, std::less<>> segment_keys;
    std::vector<Series> made;
    std::vector<Series> emptied;
  };

  // A connection for reading, lent.
  class Reader;
  class Cursor;

  explicit LocalIndex(std::string directory);

  absl::Status Load();
  absl::Status LoadDictionaries();
  absl::StatusOr<SeriesTable::Row> SeriesOf(const Series& series,
                                            Changes& changes);
  absl::StatusOr<int64_t> ServiceOf(const std::string& service);
  absl::StatusOr<int64_t> SegmentOf(std::string_view segment, Changes& changes);
  absl::StatusOr<bool> AddOne(const IndexEntry& entry, Changes& changes);
  absl::StatusOr<bool> RemoveOne(std::string_view id, IndexEntry& removed,
                                 Changes& changes);
  static absl::StatusOr<std::optional<IndexEntry>> GetOne(Database& database,
                                                          std::string_view id);
  absl::Status MoveOne(const Move& move, Changes& changes);
  absl::Status ApplyCounts(Changes& changes);

  // Makes the changes of `body` all or none; for good if `syncs`. On a full
  // disk `body` is then called again, with the reserve's room to use.
  absl::Status Change(bool syncs,
                      absl::FunctionRef<absl::Status(Changes&)> body);
  absl::Status ChangeOnce(bool syncs,
                          absl::FunctionRef<absl::Status(Changes&)> body);

  static std::vector<Cursor> CursorsOf(
      Database& database, const std::vector<SeriesTable::Matched>& matched,
      const Query& query);
  std::string PathOfDictionary(int64_t id) const;

  const std::string directory_;
  SeriesTable series_;

  std::mutex writing_;
  std::unique_ptr<Database> writer_;  // under writing_
  Reserve reserve_;                   // the same

  std::mutex lending_;
  std::vector<std::unique_ptr<Database>> readers_;  // idle, under lending_
};

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_LOCAL_INDEX_H_
