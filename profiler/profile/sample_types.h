// What the columns of a profile mean, for choosing among them and for errors.
#ifndef WALLPROF_PROFILER_PROFILE_SAMPLE_TYPES_H_
#define WALLPROF_PROFILER_PROFILE_SAMPLE_TYPES_H_

#include <string>
#include <vector>

#include "wallprof/profile.h"

namespace wallprof {

// The unit of every time that the profiler measures.
inline constexpr char kNanoseconds[] = "nanoseconds";

// The type that a reader sees first: the profile's default, else its last.
// -1 if there is no type at all.
int DefaultSampleTypeIndex(const Profile& profile);

std::string ToString(const ValueType& type);  // "wall/nanoseconds"
std::string ToString(const std::vector<ValueType>& types);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_SAMPLE_TYPES_H_
