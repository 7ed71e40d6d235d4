#include <cstddef>
#include <cstdint>

#include "tests/encode/merge_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::CheckPprofMerge({reinterpret_cast<const char*>(data), size});
  return 0;
}
