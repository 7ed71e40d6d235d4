// Whatever perf's map says, reading it ends and each address has an answer. For
// libFuzzer (WALLPROF_BUILD_FUZZERS).
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "profiler/symbolize/perf_map.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int fd = memfd_create("fuzzed", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (ftruncate(fd, 0) != 0 ||
      pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  const std::vector<std::string> names =
      wallprof::symbolize::ReadPerfMap(path, {0x1000, 0x1010, 0x1000, ~0ul});
  if (names.size() != 4 || names[0] != names[2]) std::abort();
  return 0;
}
