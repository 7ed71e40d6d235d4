// What lies where in this process's address space, as the kernel sees it.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_MEMORY_MAP_H_
#define WALLPROF_PROFILER_SYMBOLIZE_MEMORY_MAP_H_

#include <cstdint>
#include <string>
#include <vector>

namespace wallprof::symbolize {

// The path of the file mapped at `address` in this process, as it is now:
// "/path (deleted)" once the file is unlinked or replaced under its name.
// Empty if no file is mapped there. Thread-safe.
std::string MappedFile(uint64_t address);

// The paths of the mapped files that are called `name`, each once.
// Thread-safe.
std::vector<std::string> MappedFilesNamed(const std::string& name);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_MEMORY_MAP_H_
