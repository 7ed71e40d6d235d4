// Which functions the time goes to: each one's own and that of what it calls.
#ifndef WALLPROF_PROFILER_PROFILE_TOP_FUNCTIONS_H_
#define WALLPROF_PROFILER_PROFILE_TOP_FUNCTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/profile/view.h"
#include "wallprof/merge.h"
#include "wallprof/profile.h"

namespace wallprof {

struct FunctionWeight {
  std::string name;  // as a frame of folded stacks
  int64_t self = 0;  // of samples with the function at the leaf
  // Of samples with the function anywhere; one that calls itself counts once.
  int64_t total = 0;
  // Of a difference, what of them its base has taken away, as positive numbers.
  int64_t base_self = 0;
  int64_t base_total = 0;
};

struct TopFunctions {
  ValueType type;  // of the weights
  // Of all samples' magnitudes, so that shares of a difference make sense too.
  int64_t total = 0;
  bool is_difference = false;  // see IsDifference
  int64_t base = 0;            // the base's part of `total`
  // Largest magnitude of `self` first, then of `total`, then by name.
  std::vector<FunctionWeight> functions;
};

TopFunctions ComputeTopFunctions(const Profile& profile,
                                 const ViewColumn& column);

// A profile that lacks `view` is weighed by its default type.
TopFunctions ComputeTopFunctions(const Profile& profile, View view);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_TOP_FUNCTIONS_H_
