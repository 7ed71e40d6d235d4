#include "profiler/encode/flame/flame_tree.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "profiler/profile/frames.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/stack_sums.h"
#include "profiler/profile/view.h"

namespace wallprof {
namespace {

constexpr char kRootName[] = "all";

struct WeighedStack {
  Stack stack;
  StackWeight weight;
};

// Both sides as magnitudes: what is negative goes to `before`.
StackWeight Magnitudes(const StackWeight& weight) {
  StackWeight sides;
  for (auto [value, is_before] :
       {std::pair(weight.before, true), std::pair(weight.after, false)}) {
    bool negative = value < 0;
    int64_t magnitude = negative ? SaturatingSubtract(0, value) : value;
    int64_t& side = is_before || negative ? sides.before : sides.after;
    side = SaturatingAdd(side, magnitude);
  }
  return sides;
}

// Places of `names` in alphabetical order.
std::vector<uint32_t> RanksOf(const std::vector<std::string>& names) {
  std::vector<uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&names](uint32_t a, uint32_t b) { return names[a] < names[b]; });
  std::vector<uint32_t> ranks(names.size());
  for (uint32_t i = 0; i < order.size(); ++i) ranks[order[i]] = i;
  return ranks;
}

std::vector<WeighedStack> SortedStacks(const Profile& profile,
                                       const ViewColumn& column, bool threads,
                                       Frames& frames) {
  std::vector<WeighedStack> stacks;
  for (auto& [stack, weight] : SumStacks(profile, column, threads, frames)) {
    stacks.push_back({stack, Magnitudes(weight)});
  }
  std::vector<uint32_t> ranks = RanksOf(frames.names().names());
  auto is_before = [&ranks](uint32_t a, uint32_t b) {
    return ranks[a] < ranks[b];
  };
  std::sort(stacks.begin(), stacks.end(),
            [&is_before](const WeighedStack& a, const WeighedStack& b) {
              return std::lexicographical_compare(
                  a.stack.begin(), a.stack.end(), b.stack.begin(),
                  b.stack.end(), is_before);
            });
  return stacks;
}

}  // namespace

int64_t WidthOf(const FlameNode& node) {
  return SaturatingAdd(node.before, node.after);
}

FlameTree BuildFlameTree(const Profile& profile,
                         const FlameGraphOptions& options) {
  ViewColumn column = ColumnOrDefault(profile, options.view);
  Frames frames(profile);
  uint32_t root = frames.names().NumberOf(kRootName);
  FlameTree tree;
  tree.type = column.type;
  tree.nodes.push_back({root, 0});
  std::vector<size_t> path = {0};  // nodes from the root to the last one added
  auto add = [&tree](size_t node, const StackWeight& weight) {
    FlameNode& sum = tree.nodes[node];
    sum.before = SaturatingAdd(sum.before, weight.before);
    sum.after = SaturatingAdd(sum.after, weight.after);
  };
  for (const auto& [stack, weight] :
       SortedStacks(profile, column, options.threads, frames)) {
    size_t common = 0;
    while (common < stack.size() && common + 1 < path.size() &&
           tree.nodes[path[common + 1]].name == stack[common]) {
      ++common;
    }
    path.resize(common + 1);
    for (size_t i = common; i < stack.size(); ++i) {
      path.push_back(tree.nodes.size());
      tree.nodes.push_back({stack[i], static_cast<int>(i + 1)});
    }
    for (size_t node : path) add(node, weight);
  }
  tree.is_difference = tree.nodes[0].before != 0 || IsDifference(profile);
  tree.names = frames.names().names();
  return tree;
}

}  // namespace wallprof
