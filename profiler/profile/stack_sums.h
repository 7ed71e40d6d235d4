// The weight of each distinct stack, for formats that show whole stacks.
#ifndef WALLPROF_PROFILER_PROFILE_STACK_SUMS_H_
#define WALLPROF_PROFILER_PROFILE_STACK_SUMS_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/profile/frames.h"
#include "profiler/profile/view.h"
#include "wallprof/profile.h"

namespace wallprof {

using Stack = std::vector<uint32_t>;  // numbers of frame names, root first

// Of a difference, what each side has; otherwise `before` stays 0.
struct StackWeight {
  int64_t before = 0;
  int64_t after = 0;
};

// In the column's unit. With `threads`, the label `thread` is the first frame.
// A stack of which nothing is known is the frame [unknown], so that its weight
// is shown.
absl::flat_hash_map<Stack, StackWeight> SumStacks(const Profile& profile,
                                                  const ViewColumn& column,
                                                  bool threads, Frames& frames);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_STACK_SUMS_H_
