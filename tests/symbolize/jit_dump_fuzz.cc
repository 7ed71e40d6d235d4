// Whatever a jitdump says, reading it ends, and what it names has a name. For
// libFuzzer (WALLPROF_BUILD_FUZZERS).
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "profiler/symbolize/jit_dump.h"

namespace {

// Of the header, where the process is told: else hardly anything is read.
constexpr size_t kPidOffset = 20;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

// A file in memory, written anew each time.
const std::string& Rewritten(std::string content) {
  static const int fd = memfd_create("fuzzed", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  Require(ftruncate(fd, 0) == 0, "the file can be emptied");
  Require(pwrite(fd, content.data(), content.size(), 0) ==
              static_cast<ssize_t>(content.size()),
          "the file can be written");
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string content(reinterpret_cast<const char*>(data), size);
  const auto pid = static_cast<uint32_t>(getpid());
  if (size >= kPidOffset + sizeof pid) {
    std::memcpy(content.data() + kPidOffset, &pid, sizeof pid);
  }
  const std::vector<uint64_t> addresses = {0x1000, 0x1010, 0x3010, 0x1000,
                                           ~0ul};
  const std::vector<wallprof::symbolize::FoundFrame> frames =
      wallprof::symbolize::ReadJitDump(Rewritten(std::move(content)),
                                       addresses);
  Require(frames.size() == addresses.size(), "each address has an answer");
  for (const wallprof::symbolize::FoundFrame& frame : frames) {
    Require(frame.found != frame.system_name.empty(),
            "what is found has a name");
    Require(frame.found || frame.line == 0, "what is not found has no line");
    Require(frame.line >= 0, "lines are not negative");
  }
  Require(frames[0].system_name == frames[3].system_name,
          "an address has one answer");
  return 0;
}
