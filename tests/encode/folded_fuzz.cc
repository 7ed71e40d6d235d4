#include <cstddef>
#include <cstdint>

#include "tests/encode/decoder_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::CheckFolded({reinterpret_cast<const char*>(data), size});
  return 0;
}
