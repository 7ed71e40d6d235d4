// Weights and shares as people read them.
#ifndef WALLPROF_PROFILER_PROFILE_WEIGHT_TEXT_H_
#define WALLPROF_PROFILER_PROFILE_WEIGHT_TEXT_H_

#include <cstdint>
#include <string>

#include "wallprof/profile.h"

namespace wallprof {

// "1.50s": a time in the largest unit of which it is at least one; any other
// weight as a plain number.
std::string WeightText(int64_t weight, const ValueType& type);

// The same with the name of a unit that the number does not show: "12 count".
std::string WeightWithUnit(int64_t weight, const ValueType& type);

// 0 of an empty whole.
double Percent(int64_t part, int64_t whole);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_WEIGHT_TEXT_H_
