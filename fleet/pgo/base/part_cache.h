// Parts that were read or written lately: they never change, and every version
// of a base is made of all of them.
#ifndef WALLPROF_FLEET_PGO_BASE_PART_CACHE_H_
#define WALLPROF_FLEET_PGO_BASE_PART_CACHE_H_

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <utility>

namespace wallprof::pgo {

// For one thread.
class PartCache {
 public:
  // The bytes of the part called `key`, until the next Keep(); or nullptr.
  const std::string* Find(std::string_view key) {
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != key) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return &entries_.front().second;
    }
    return nullptr;
  }

  void Keep(std::string_view key, std::string_view bytes) {
    if (bytes.size() > kMostBytes) return;
    entries_.emplace_front(key, bytes);
    bytes_ += bytes.size();
    while (bytes_ > kMostBytes) {
      bytes_ -= entries_.back().second.size();
      entries_.pop_back();
    }
  }

 private:
  // Some hundred parts of a large program.
  static constexpr size_t kMostBytes = size_t{64} << 20;

  std::list<std::pair<std::string, std::string>> entries_;  // the latest first
  size_t bytes_ = 0;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_PART_CACHE_H_
