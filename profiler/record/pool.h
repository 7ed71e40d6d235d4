// Items by number, each kept once.
#ifndef WALLPROF_PROFILER_RECORD_POOL_H_
#define WALLPROF_PROFILER_RECORD_POOL_H_

#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace wallprof::record {

// `Item` can be compared and hashed. Neither moved nor copied, since its index
// points to it. Not thread-safe.
template <typename Item>
class Pool {
 public:
  // `first` gets the number 0.
  explicit Pool(Item first) { Add(std::move(first)); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // The number of the item that equals `item`, added if there is none.
  uint32_t Add(Item item) {
    const auto found = index_.find(item);
    if (found != index_.end()) return *found;
    return Append(std::move(item));
  }

  // Adds without looking for an equal one; its number is size() from before.
  // Of equal ones the first is found later.
  uint32_t Append(Item item) {
    const uint32_t number = size();
    items_.push_back(std::move(item));
    index_.insert(number);
    return number;
  }

  const Item& operator[](uint32_t number) const { return items_[number]; }
  uint32_t size() const { return static_cast<uint32_t>(items_.size()); }

  // Without what items own elsewhere.
  size_t bytes() const {
    return items_.size() * sizeof(Item) +
           index_.capacity() * (sizeof(uint32_t) + 1);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(uint32_t number) const {
      return absl::HashOf((*items)[number]);
    }
    size_t operator()(const Item& item) const { return absl::HashOf(item); }
    const std::deque<Item>* items;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(uint32_t a, uint32_t b) const {
      return (*items)[a] == (*items)[b];
    }
    bool operator()(uint32_t a, const Item& b) const {
      return (*items)[a] == b;
    }
    bool operator()(const Item& a, uint32_t b) const {
      return (*items)[b] == a;
    }
    const std::deque<Item>* items;
  };

  std::deque<Item> items_;  // has no room to spare, unlike a vector
  absl::flat_hash_set<uint32_t, Hash, Equal> index_{0, Hash{&items_},
                                                    Equal{&items_}};
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_POOL_H_
