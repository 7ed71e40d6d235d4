// Reading files that anybody may be changing meanwhile.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_REGULAR_FILE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_REGULAR_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace wallprof::symbolize {

// A descriptor, close-on-exec; the caller closes it. The system's error if the
// file cannot be opened, InvalidArgument if it is none: opening a device could
// do something, opening a FIFO would wait.
absl::StatusOr<int> OpenRegularFile(const std::string& path);

// Copies up to `size` bytes from `offset` on to `to`. Returns how many there
// were: fewer at the end of the file, 0 beyond it or on an error.
size_t ReadAt(int fd, uint64_t offset, size_t size, void* to);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_REGULAR_FILE_H_
