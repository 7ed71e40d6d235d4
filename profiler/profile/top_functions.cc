#include "profiler/profile/top_functions.h"

#include <algorithm>
#include <tuple>

#include "profiler/profile/frames.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/view.h"

namespace wallprof {
namespace {

int64_t Magnitude(int64_t value) {
  return value < 0 ? SaturatingSubtract(0, value) : value;
}

bool Heavier(const FunctionWeight& a, const FunctionWeight& b) {
  return std::tuple(-Magnitude(a.self), -Magnitude(a.total), a.name) <
         std::tuple(-Magnitude(b.self), -Magnitude(b.total), b.name);
}

}  // namespace

TopFunctions ComputeTopFunctions(const Profile& profile,
                                 const ViewColumn& column) {
  Frames frames(profile);
  TopFunctions top;
  top.type = column.type;
  top.is_difference = IsDifference(profile);
  for (const std::string& name : frames.names().names()) {
    top.functions.push_back({name});
  }
  std::vector<uint32_t> stack;
  for (const Sample& sample : profile.samples) {
    int64_t weight = column.Of(sample);
    top.total = SaturatingAdd(top.total, Magnitude(weight));
    if (IsOfBase(sample)) top.base = SaturatingAdd(top.base, Magnitude(weight));
    stack.clear();
    frames.AppendStack(sample, stack);
    if (stack.empty()) continue;
    int64_t of_base = IsOfBase(sample) ? SaturatingSubtract(0, weight) : 0;
    FunctionWeight& leaf = top.functions[stack.back()];
    leaf.self = SaturatingAdd(leaf.self, weight);
    leaf.base_self = SaturatingAdd(leaf.base_self, of_base);
    std::sort(stack.begin(), stack.end());
    stack.erase(std::unique(stack.begin(), stack.end()), stack.end());
    for (uint32_t function : stack) {
      FunctionWeight& f = top.functions[function];
      f.total = SaturatingAdd(f.total, weight);
      f.base_total = SaturatingAdd(f.base_total, of_base);
    }
  }
  top.functions.erase(std::remove_if(top.functions.begin(), top.functions.end(),
                                     [](const FunctionWeight& f) {
                                       return f.self == 0 && f.total == 0 &&
                                              f.base_self == 0 &&
                                              f.base_total == 0;
                                     }),
                      top.functions.end());
  std::sort(top.functions.begin(), top.functions.end(), Heavier);
  return top;
}

TopFunctions ComputeTopFunctions(const Profile& profile, View view) {
  return ComputeTopFunctions(profile, ColumnOrDefault(profile, view));
}

}  // namespace wallprof
