// A function's readable name, from its name in the object file.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DEMANGLE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DEMANGLE_H_

#include <string>

namespace wallprof::symbolize {

// As c++filt prints it, with parameters, but without " [clone ...]": the
// parts that a compiler splits off a function are that function to a reader.
// Names that are not mangled C++ come back unchanged. Thread-safe.
std::string Demangle(const std::string& system_name);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DEMANGLE_H_
