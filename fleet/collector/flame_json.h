// Stacks as the nested JSON that flame-graph libraries of the web draw:
// {"name": "root", "value": 100, "children": [...]}.
#ifndef WALLPROF_FLEET_COLLECTOR_FLAME_JSON_H_
#define WALLPROF_FLEET_COLLECTOR_FLAME_JSON_H_

#include "fleet/collector/envelope.h"
#include "wallprof/profile.h"

namespace wallprof::collector {

// Of the profile's default type, weighed as folded stacks are: in microseconds
// where that is a time. Values are those of a node and all below it. With
// `threads` the thread comes first.
Json FlameJson(const Profile& profile, bool threads);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_FLAME_JSON_H_
