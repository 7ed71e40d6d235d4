// Kinds of profiles, by the names that the API has for them.
#ifndef WALLPROF_FLEET_COLLECTOR_PROFILE_TYPE_H_
#define WALLPROF_FLEET_COLLECTOR_PROFILE_TYPE_H_

#include <string_view>

namespace wallprof::collector {

// profefe's, and those of a profile of waiting.
inline constexpr std::string_view kProfileTypes[] = {
    "cpu",   "heap",  "block", "mutex",  "goroutine", "threadcreate",
    "other", "trace", "wall",  "offcpu", "lockwait"};

bool IsProfileType(std::string_view type);

// Whether profiles of that type are profile.proto. A trace is whatever its
// sender made of it: it is kept and given back, and cannot be added up.
bool IsPprof(std::string_view type);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_PROFILE_TYPE_H_
