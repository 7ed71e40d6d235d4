// The bytes of profiles: records, several of them one after the other in a
// segment, which is a file or an object. Records are never changed.
#ifndef WALLPROF_FLEET_STORE_SEGMENTS_H_
#define WALLPROF_FLEET_STORE_SEGMENTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/store/index.h"

namespace wallprof::store {

enum class SegmentKind {
  kReceived,  // records as profiles came
  kPacked,    // the same, written again in less space; whole at once
};

struct SegmentInfo {
  std::string segment;
  int64_t bytes = 0;
  absl::Time modified;
  SegmentKind kind = SegmentKind::kReceived;
  bool is_open = false;  // more may be written to it: to be left alone
};

// Thread-safe. Errors of all calls: Unavailable where the store cannot be
// reached, ResourceExhausted where it is full, DataLoss for bytes that are not
// those written.
class Segments {
 public:
  virtual ~Segments() = default;

  // Keeps all records, for good once this returns, and says where. One call is
  // one write to the disk or one object. After an error none of them is there,
  // or counts as rubbish that is cleared away later. Packed records are in a
  // segment of their own.
  virtual absl::StatusOr<std::vector<Place>> Write(
      absl::Span<const std::string_view> records, SegmentKind kind) = 0;

  // NotFound when the segment is gone. Any stretch of a segment may be read.
  virtual absl::StatusOr<std::string> Read(const Place& place) = 0;

  // Ok also where there was none.
  virtual absl::Status Delete(std::string_view segment) = 0;

  // All there are, in no order.
  virtual absl::StatusOr<std::vector<SegmentInfo>> List() = 0;

  // Whether they could be written right now.
  virtual absl::Status Check() = 0;
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_SEGMENTS_H_
