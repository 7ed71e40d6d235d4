// Segments that are objects in S3 or the like, which several collectors share.
#ifndef WALLPROF_FLEET_STORE_SHARED_OBJECT_SEGMENTS_H_
#define WALLPROF_FLEET_STORE_SHARED_OBJECT_SEGMENTS_H_

#include <memory>
#include <mutex>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/store/segments.h"
#include "fleet/store/shared/extent_cache.h"
#include "wallprof/object_store.h"

namespace wallprof::store::shared {

// `url` as OpenObjectStore reads it, and its errors. Each Write is an object of
// its own, "v1/YYYY/MM/DD/HH/..." by the time of the write and ".received" or
// ".packed" by its kind, whose content is the records and nothing else.
absl::StatusOr<std::unique_ptr<Segments>> MakeObjectSegments(
    std::string_view url);

class ObjectSegments : public Segments {
 public:
  // `impatient` is the same store, for who asks whether it works right now.
  ObjectSegments(std::unique_ptr<ObjectStore> store,
                 std::unique_ptr<ObjectStore> impatient);

  absl::StatusOr<std::vector<Place>> Write(
      absl::Span<const std::string_view> records, SegmentKind kind) override;
  absl::StatusOr<std::string> Read(const Place& place) override;
  absl::Status Delete(std::string_view segment) override;
  absl::StatusOr<std::vector<SegmentInfo>> List() override;
  absl::Status Check() override;

 private:
  const std::unique_ptr<ObjectStore> store_;
  const std::unique_ptr<ObjectStore> impatient_;
  ExtentCache cache_;
  std::mutex check_mutex_;
  absl::Time checked_ = absl::InfinitePast();  // the last time that it worked
};

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_OBJECT_SEGMENTS_H_
