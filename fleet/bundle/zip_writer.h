// A zip written as a stream: what is given is stored as it is, and nothing of
// it is kept but a line for the directory at the end.
//
// Sizes and checksums are known before an entry is written, so that its header
// is whole: entries without are what some readers of stored entries refuse. All
// times are the format's first day, as its times have no zone.
#ifndef WALLPROF_FLEET_BUNDLE_ZIP_WRITER_H_
#define WALLPROF_FLEET_BUNDLE_ZIP_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "wallprof/bundle.h"

namespace wallprof::bundle {

class ZipWriter {
 public:
  // `sink` must outlive the writer.
  explicit ZipWriter(const BundleSink& sink) : sink_(sink) {}

  // OkStatus if an entry of `name` and `size` still fits the format without its
  // 64-bit extension, which not all readers know; ResourceExhausted otherwise.
  absl::Status CheckFits(std::string_view name, size_t size) const;

  // Writes an entry that fits. After an error of the sink's there is nothing
  // more to write.
  absl::Status Add(std::string_view name, std::string_view bytes);

  // Writes the directory, which lists the entries in the order they were added
  // in, but for the last, which comes first.
  absl::Status FinishLastFirst();

  int64_t bytes() const { return static_cast<int64_t>(offset_); }

 private:
  struct Entry {
    std::string name;
    uint32_t crc;
    uint32_t size;
    uint32_t offset;
  };

  absl::Status Write(std::string_view bytes);

  const BundleSink& sink_;
  std::vector<Entry> entries_;
  uint64_t offset_ = 0;
  uint64_t directory_bytes_ = 0;
};

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_ZIP_WRITER_H_
