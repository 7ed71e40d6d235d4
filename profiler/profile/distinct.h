// A list that takes each entity once and numbers them from 1 in order of
// arrival. Which entities are one is for SameIdentity and HashIdentity to say,
// found by argument-dependent lookup.
#ifndef WALLPROF_PROFILER_PROFILE_DISTINCT_H_
#define WALLPROF_PROFILER_PROFILE_DISTINCT_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace wallprof {

template <typename Entity>
class Distinct {
 public:
  // Appends to `list`, which must be empty, and outlive this.
  explicit Distinct(std::vector<Entity>& list)
      : list_(list), positions_(0, Hash{&list}, Same{&list}) {}

  struct Added {
    size_t position;  // in the list
    bool is_new;
  };

  // The place of `entity`, or of the one that it is the same as.
  Added Add(Entity entity) {
    list_.push_back(std::move(entity));
    auto [known, is_new] = positions_.insert(list_.size() - 1);
    if (!is_new) list_.pop_back();
    return {*known, is_new};
  }

 private:
  // The set holds places rather than entities, so that each is stored once.
  struct Hash {
    const std::vector<Entity>* list;
    size_t operator()(size_t i) const { return HashIdentity((*list)[i]); }
  };
  struct Same {
    const std::vector<Entity>* list;
    bool operator()(size_t i, size_t j) const {
      return SameIdentity((*list)[i], (*list)[j]);
    }
  };

  std::vector<Entity>& list_;
  absl::flat_hash_set<size_t, Hash, Same> positions_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_DISTINCT_H_
