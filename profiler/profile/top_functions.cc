#include "profiler/profile/top_functions.h"

#include <algorithm>
#include <tuple>

#include "profiler/profile/frames.h"
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

TopFunctions ComputeTopFunctions(const Profile& profile, View view) {
  ViewColumn column = ColumnOrDefault(profile, view);
  Frames frames(profile);
  TopFunctions top;
  top.type = column.type;
  for (const std::string& name : frames.names().names()) {
    top.functions.push_back({name});
  }
  std::vector<uint32_t> stack;
  for (const Sample& sample : profile.samples) {
    int64_t weight = column.Of(sample);
    top.total = SaturatingAdd(top.total, Magnitude(weight));
    stack.clear();
    frames.AppendStack(sample, stack);
    if (stack.empty()) continue;
    int64_t& self = top.functions[stack.back()].self;
    self = SaturatingAdd(self, weight);
    std::sort(stack.begin(), stack.end());
    stack.erase(std::unique(stack.begin(), stack.end()), stack.end());
    for (uint32_t function : stack) {
      int64_t& total = top.functions[function].total;
      total = SaturatingAdd(total, weight);
    }
  }
  top.functions.erase(std::remove_if(top.functions.begin(), top.functions.end(),
                                     [](const FunctionWeight& f) {
                                       return f.self == 0 && f.total == 0;
                                     }),
                      top.functions.end());
  std::sort(top.functions.begin(), top.functions.end(), Heavier);
  return top;
}

}  // namespace wallprof
