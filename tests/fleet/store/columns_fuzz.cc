// Whatever the bytes, a message comes back as it was, and columns are joined or
// refused.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fleet/store/columns.h"

namespace wallprof::store {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

void CheckMessage(std::string_view message) {
  const auto columns = SplitColumns(message);
  if (!columns.has_value()) return;
  const auto joined =
      JoinColumns(*columns, static_cast<int64_t>(message.size()));
  Require(joined.ok() && *joined == message, "a message comes back");
}

void CheckColumns(std::string_view columns) {
  for (const int64_t bytes : {0, 1, 20, 300, 5000}) {
    const auto joined = JoinColumns(columns, bytes);
    Require(!joined.ok() || joined->size() == static_cast<size_t>(bytes),
            "a message has its size");
  }
}

}  // namespace
}  // namespace wallprof::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  wallprof::store::CheckMessage(bytes);
  wallprof::store::CheckColumns(bytes);
  return 0;
}
