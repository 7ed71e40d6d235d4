// Which profiles there are and where their bytes are. One that is not in the
// index does not exist.
#ifndef WALLPROF_FLEET_STORE_INDEX_H_
#define WALLPROF_FLEET_STORE_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/store/profile_info.h"
#include "fleet/store/selector.h"

namespace wallprof::store {

// Where a profile's record is: in which segment, a file or an object of many.
struct Place {
  std::string segment;
  int64_t offset = 0;
  int64_t bytes = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

struct IndexEntry {
  ProfileInfo info;
  Place place;
  int64_t message_bytes = 0;  // of the profile, unpacked
};

struct Query {
  Selector selector;
  // Both belong to it.
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();
};

// What the index knows of a segment.
struct SegmentUse {
  std::string segment;
  int64_t profiles = 0;  // that are there still
  int64_t bytes = 0;     // of those
  absl::Time newest;     // of their times
};

struct Dictionary {
  int64_t id = 0;  // never 0
  std::string bytes;
};

// Thread-safe. Errors of all calls: Unavailable where the index cannot be
// reached (worth trying again), ResourceExhausted where its disk is full,
// DataLoss where it is damaged.
class Index {
 public:
  virtual ~Index() = default;

  // Adds all entries or none, for good once this returns. An entry whose id is
  // there already, or twice in `entries`, is left out; the result tells for
  // each whether it is new.
  virtual absl::StatusOr<std::vector<bool>> Add(
      absl::Span<const IndexEntry> entries) = 0;

  // Gives what matches in the order of time, then of id, until `take` says
  // false. `take` must not call the index.
  virtual absl::Status Find(
      const Query& query,
      absl::FunctionRef<bool(const IndexEntry& entry)> take) = 0;

  // Those of `ids` that are there, in the order of `ids`.
  virtual absl::StatusOr<std::vector<IndexEntry>> Get(
      absl::Span<const std::string> ids) = 0;

  // Removes those of `ids` that are there, and says which they were.
  virtual absl::StatusOr<std::vector<IndexEntry>> Remove(
      absl::Span<const std::string> ids) = 0;

  // The series that match and have a profile in the query's time, sorted.
  virtual absl::StatusOr<std::vector<Series>> FindSeries(
      const Query& query) = 0;

  // How many series there are.
  virtual absl::StatusOr<int64_t> CountSeries() = 0;

  // A profile's record was written again, elsewhere. What is no longer at
  // `from` is left alone.
  struct Move {
    std::string id;
    Place from;
    Place to;
  };
  virtual absl::Status Relocate(absl::Span<const Move> moves) = 0;

  // All segments that profiles were ever added in, empty ones among them, until
  // they are forgotten.
  virtual absl::StatusOr<std::vector<SegmentUse>> ListSegments() = 0;
  virtual absl::Status ForgetSegment(std::string_view segment) = 0;

  // Dictionaries that profiles of a service are compressed with.
  virtual absl::StatusOr<int64_t> AddDictionary(std::string_view service,
                                                std::string_view bytes) = 0;
  virtual absl::StatusOr<Dictionary> GetDictionary(int64_t id) = 0;
  // That of the highest id.
  virtual absl::StatusOr<std::optional<Dictionary>> LatestDictionary(
      std::string_view service) = 0;

  // Whether this collector is the one that does the housekeeping from now for
  // `term`; where only one collector can use the index, always.
  virtual absl::StatusOr<bool> Lead(absl::Duration term) = 0;

  // Whether it could be used right now.
  virtual absl::Status Check() = 0;
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_INDEX_H_
