// From the ids that a message gives its entities to their places in it. Ids are
// 1 to n in order in nearly every profile; then nothing has to be looked up.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_ID_INDEX_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_ID_INDEX_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "profiler/encode/merge/flat_array.h"

namespace wallprof {

class IdIndex {
 public:
  static constexpr uint64_t kNone = ~uint64_t{0};

  // False if an id is 0 or there twice.
  template <typename Entity>
  bool Build(const FlatArray<Entity>& entities) {
    size_ = entities.size();
    in_order_ = true;
    for (size_t i = 0; i < size_ && in_order_; ++i) {
      in_order_ = entities[i].id == i + 1;
    }
    places_.clear();
    if (in_order_) return true;
    places_.reserve(size_);
    for (size_t i = 0; i < size_; ++i) {
      uint64_t id = entities[i].id;
      if (id == 0 || !places_.try_emplace(id, i).second) return false;
    }
    return true;
  }

  // Whether every id is its entity's place plus one.
  bool in_order() const { return in_order_; }

  // The place of the entity with this id, or kNone.
  uint64_t Find(uint64_t id) const {
    if (in_order_) return id - 1 < size_ ? id - 1 : kNone;
    auto found = places_.find(id);
    return found == places_.end() ? kNone : found->second;
  }

 private:
  size_t size_ = 0;
  bool in_order_ = true;
  absl::flat_hash_map<uint64_t, uint64_t> places_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_ID_INDEX_H_
