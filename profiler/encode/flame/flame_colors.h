// Colours of a flame graph's frames, as "#rrggbb".
#ifndef WALLPROF_PROFILER_ENCODE_FLAME_FLAME_COLORS_H_
#define WALLPROF_PROFILER_ENCODE_FLAME_FLAME_COLORS_H_

#include <string>
#include <string_view>

namespace wallprof {

// Always the same for a name, so that two graphs can be held side by side;
// grey for what is no function, such as [overflow].
std::string ColorOfName(std::string_view name);

// From blue, all of it gone (-1), over light grey (0) to red, all new (1).
std::string ColorOfChange(double change);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_FLAME_FLAME_COLORS_H_
