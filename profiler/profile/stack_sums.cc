#include "profiler/profile/stack_sums.h"

#include <string>
#include <string_view>

#include "profiler/profile/labels.h"
#include "profiler/profile/saturating.h"

namespace wallprof {
namespace {

constexpr char kUnknownStack[] = "[unknown]";

}  // namespace

absl::flat_hash_map<Stack, StackWeight> SumStacks(const Profile& profile,
                                                  const ViewColumn& column,
                                                  bool threads,
                                                  Frames& frames) {
  uint32_t unknown = frames.names().NumberOf(kUnknownStack);
  absl::flat_hash_map<Stack, StackWeight> weights;
  Stack stack;
  for (const Sample& sample : profile.samples) {
    int64_t weight = column.Of(sample);
    if (weight == 0) continue;
    stack.clear();
    frames.AppendStack(sample, stack);
    if (stack.empty()) stack.push_back(unknown);
    std::string_view thread;
    if (threads) thread = LabelText(sample, "thread");
    if (!thread.empty()) {
      stack.insert(stack.begin(), frames.names().NumberOf(std::string(thread)));
    }
    StackWeight& sum = weights[stack];
    if (IsOfBase(sample)) {
      sum.before = SaturatingSubtract(sum.before, weight);
    } else {
      sum.after = SaturatingAdd(sum.after, weight);
    }
  }
  return weights;
}

}  // namespace wallprof
