#include "fleet/store/shared/extent_cache.h"

#include <utility>

namespace wallprof::store::shared {

std::optional<std::string> ExtentCache::Get(std::string_view segment,
                                            int64_t offset, int64_t bytes) {
  std::lock_guard lock(mutex_);
  const auto found = by_segment_.find(std::string(segment));
  if (found == by_segment_.end()) return std::nullopt;
  const Extents::iterator extent = found->second;
  const int64_t begin = offset - extent->offset;
  const auto size = static_cast<int64_t>(extent->content.size());
  if (begin < 0 || begin > size || bytes > size - begin) return std::nullopt;
  extents_.splice(extents_.begin(), extents_, extent);
  return extent->content.substr(static_cast<size_t>(begin),
                                static_cast<size_t>(bytes));
}

void ExtentCache::Put(std::string_view segment, int64_t offset,
                      std::string content) {
  std::lock_guard lock(mutex_);
  if (content.size() > max_bytes_) return;
  if (const auto old = by_segment_.find(std::string(segment));
      old != by_segment_.end()) {
    Remove(old->second);
  }
  bytes_ += content.size();
  extents_.push_front({std::string(segment), offset, std::move(content)});
  by_segment_[extents_.front().segment] = extents_.begin();
  while (bytes_ > max_bytes_) Remove(std::prev(extents_.end()));
}

void ExtentCache::Drop(std::string_view segment) {
  std::lock_guard lock(mutex_);
  if (const auto old = by_segment_.find(std::string(segment));
      old != by_segment_.end()) {
    Remove(old->second);
  }
}

void ExtentCache::Remove(Extents::iterator extent) {
  bytes_ -= extent->content.size();
  by_segment_.erase(extent->segment);
  extents_.erase(extent);
}

}  // namespace wallprof::store::shared
