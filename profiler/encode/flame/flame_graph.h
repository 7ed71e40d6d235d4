// A flame graph as an <svg> element, for a file of its own or within a page.
// The root is on top; a frame's width is its share of everything.
#ifndef WALLPROF_PROFILER_ENCODE_FLAME_FLAME_GRAPH_H_
#define WALLPROF_PROFILER_ENCODE_FLAME_FLAME_GRAPH_H_

#include <string>

#include "wallprof/formats.h"
#include "wallprof/profile.h"

namespace wallprof {

// What it shows, e.g. "Flame graph of wall time".
std::string TitleOf(const Profile& profile, const FlameGraphOptions& options);

// Without a script; scripts.h has the one that makes it answer to clicks.
std::string DrawFlameGraph(const Profile& profile,
                           const FlameGraphOptions& options);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_FLAME_FLAME_GRAPH_H_
