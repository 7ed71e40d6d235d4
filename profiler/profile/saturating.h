// Arithmetic on sample values that stops at the ends of int64: values come
// from files, and a sum that wraps round would be a lie.
#ifndef WALLPROF_PROFILER_PROFILE_SATURATING_H_
#define WALLPROF_PROFILER_PROFILE_SATURATING_H_

#include <cmath>
#include <cstdint>
#include <limits>

namespace wallprof {

inline int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<int64_t>::max()
               : std::numeric_limits<int64_t>::min();
}

inline int64_t SaturatingSubtract(int64_t a, int64_t b) {
  int64_t difference;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<int64_t>::max()
               : std::numeric_limits<int64_t>::min();
}

// `value` times a finite `ratio`, rounded half away from zero.
inline int64_t SaturatingScale(int64_t value, double ratio) {
  if (ratio == 1) return value;  // exact, as a double could not be
  double scaled = std::round(static_cast<double>(value) * ratio);
  if (scaled >= 0x1p63) return std::numeric_limits<int64_t>::max();
  if (scaled < -0x1p63) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(scaled);
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_SATURATING_H_
