// Finds mappings, locations and functions by their ids. Ids are 1 to n in
// nearly every profile, so that a plain array answers; others are hashed.
#ifndef WALLPROF_PROFILER_PROFILE_BY_ID_H_
#define WALLPROF_PROFILER_PROFILE_BY_ID_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace wallprof {

template <typename Entity>
class ById {
 public:
  // `entities` must outlive this and keep their places.
  explicit ById(const std::vector<Entity>& entities)
      : dense_(entities.size() + 1, nullptr) {
    for (const Entity& entity : entities) {
      if (entity.id < dense_.size()) {
        if (dense_[entity.id] == nullptr) dense_[entity.id] = &entity;
      } else {
        sparse_.try_emplace(entity.id, &entity);
      }
    }
  }

  // The first entity with this id, or nullptr.
  const Entity* Find(uint64_t id) const {
    if (id < dense_.size()) return dense_[id];
    auto found = sparse_.find(id);
    return found == sparse_.end() ? nullptr : found->second;
  }

 private:
  std::vector<const Entity*> dense_;
  absl::flat_hash_map<uint64_t, const Entity*> sparse_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_BY_ID_H_
