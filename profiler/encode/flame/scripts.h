// The scripts inside of SVG and HTML files, as they are beside this file.
#ifndef WALLPROF_PROFILER_ENCODE_FLAME_SCRIPTS_H_
#define WALLPROF_PROFILER_ENCODE_FLAME_SCRIPTS_H_

namespace wallprof {

extern const char kFlameScript[];  // flame.js
extern const char kTableScript[];  // table.js

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_FLAME_SCRIPTS_H_
