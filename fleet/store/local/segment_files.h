// Segments that are files of a directory:
//
//   DIR/<time, ns since 1970>.received   records are appended, for a while
//   DIR/<time, ns since 1970>.packed     written at once
#ifndef WALLPROF_FLEET_STORE_LOCAL_SEGMENT_FILES_H_
#define WALLPROF_FLEET_STORE_LOCAL_SEGMENT_FILES_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/files/files.h"
#include "fleet/store/segments.h"

namespace wallprof::store::local {

struct SegmentFileOptions {
  // Where one ends and the next is begun: few enough files for years, small
  // enough to be written again while nobody notices.
  int64_t max_bytes = int64_t{64} << 20;

  // So that what comes slowly is packed too.
  absl::Duration max_age = absl::Hours(1);
};

class SegmentFiles : public Segments {
 public:
  // Makes the directory, if need be.
  static absl::StatusOr<std::unique_ptr<SegmentFiles>> Open(
      const std::string& directory, SegmentFileOptions options = {});

  absl::StatusOr<std::vector<Place>> Write(
      absl::Span<const std::string_view> records, SegmentKind kind) override;
  absl::StatusOr<std::string> Read(const Place& place) override;
  absl::Status Delete(std::string_view segment) override;
  absl::StatusOr<std::vector<SegmentInfo>> List() override;
  absl::Status Check() override;

  // Cuts `segment` down to `bytes`, and does so for good.
  absl::Status Truncate(std::string_view segment, int64_t bytes);

 private:
  // A segment that is written to, and how much of it counts.
  struct Growing {
    std::string name;
    fleet::File file;
    int64_t bytes = 0;
    absl::Time begun;
  };

  SegmentFiles(std::string directory, SegmentFileOptions options);

  std::string PathOf(std::string_view segment) const;
  absl::StatusOr<Growing> Begin(SegmentKind kind);
  static absl::StatusOr<std::vector<Place>> Append(
      Growing& segment, absl::Span<const std::string_view> records);
  bool IsFull(const Growing& segment) const;

  const std::string directory_;
  const SegmentFileOptions options_;

  std::mutex mutex_;
  Growing growing_;  // under mutex_, as are those below
  int64_t last_name_ns_ = 0;
};

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_SEGMENT_FILES_H_
