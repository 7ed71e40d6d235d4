// What was read of segments of late.
#ifndef WALLPROF_FLEET_STORE_SHARED_EXTENT_CACHE_H_
#define WALLPROF_FLEET_STORE_SHARED_EXTENT_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace wallprof::store::shared {

// Keeps one stretch of each segment, the last one put, `max_bytes` in all;
// those not asked for the longest go first. Thread-safe.
class ExtentCache {
 public:
  explicit ExtentCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // The `bytes` from `offset` on, if all of them are here.
  std::optional<std::string> Get(std::string_view segment, int64_t offset,
                                 int64_t bytes);

  // That `content` is in the segment from `offset` on.
  void Put(std::string_view segment, int64_t offset, std::string content);

  void Drop(std::string_view segment);

 private:
  struct Extent {
    std::string segment;
    int64_t offset;
    std::string content;
  };
  using Extents = std::list<Extent>;

  void Remove(Extents::iterator extent);

  const size_t max_bytes_;
  std::mutex mutex_;
  Extents extents_;  // the last one used is the first
  std::unordered_map<std::string, Extents::iterator> by_segment_;
  size_t bytes_ = 0;
};

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_EXTENT_CACHE_H_
