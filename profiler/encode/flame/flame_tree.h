// Stacks as the tree that a flame graph draws: nodes with common callers
// merged.
#ifndef WALLPROF_PROFILER_ENCODE_FLAME_FLAME_TREE_H_
#define WALLPROF_PROFILER_ENCODE_FLAME_FLAME_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "wallprof/formats.h"
#include "wallprof/profile.h"

namespace wallprof {

// Weights are magnitudes. In a difference `before` is what the base has, or
// what is negative; `after` all else.
struct FlameNode {
  uint32_t name = 0;  // in FlameTree::names
  int depth = 0;      // 0: the root
  int64_t before = 0;
  int64_t after = 0;
};

struct FlameTree {
  std::vector<std::string> names;
  // A node before its children, these by name. The first is the root, which
  // stands for everything; it is there even if there is nothing.
  std::vector<FlameNode> nodes;
  ValueType type;
  // Whether there is a side before, even one without any weight.
  bool is_difference = false;
};

// A node is as wide as both sides together, so that what vanished is seen.
int64_t WidthOf(const FlameNode& node);

FlameTree BuildFlameTree(const Profile& profile,
                         const FlameGraphOptions& options);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_FLAME_FLAME_TREE_H_
