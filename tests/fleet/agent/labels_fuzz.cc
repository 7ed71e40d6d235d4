// Whatever the bytes, labels that are read can be written and read again, and
// stay the same. For libFuzzer (WALLPROF_BUILD_FUZZERS) and, over the corpus
// alone, for the room's tests.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fleet/agent/labels.h"
#include "tests/fleet/agent/fuzzing.h"

namespace wallprof::agent {

void CheckLabelBytes(std::string_view bytes) {
  const AgentLabels labels = ParseLabels(bytes);
  for (const auto& label : labels) Require(!label.first.empty(), "has a key");
  const std::string text = FormatLabels(labels);
  Require(text.find_first_of("&#\r\n ") == std::string::npos,
          "labels cannot break out of a request's first line");
  Require(ParseLabels(text) == labels, "labels survive being written");
  Require(Unescape(Escape(bytes)) == bytes, "escapes are undone");
}

}  // namespace wallprof::agent

#ifndef WALLPROF_NO_FUZZER_ENTRY
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::agent::CheckLabelBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
