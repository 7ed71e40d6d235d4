// Which of other programs' formats bytes are, by how they begin.
#ifndef WALLPROF_PROFILER_ENCODE_FOREIGN_RECOGNIZE_H_
#define WALLPROF_PROFILER_ENCODE_FOREIGN_RECOGNIZE_H_

#include <string_view>

namespace wallprof {

// Whether the first line that is neither empty nor a comment heads a sample.
bool IsPerfScript(std::string_view text);

// Whether it begins with the header of gperftools' CPU profiles, 64-bit and
// little-endian.
bool IsGperftoolsCpu(std::string_view bytes);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_FOREIGN_RECOGNIZE_H_
