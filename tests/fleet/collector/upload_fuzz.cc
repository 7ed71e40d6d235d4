// Whatever the bytes, a form of a profile is taken apart within them, and a
// name of Pyroscope's is a series or an error.
//
// The first line of an input is the Content-Type or the name, the rest a body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fleet/collector/multipart.h"
#include "fleet/collector/pyroscope_name.h"

namespace wallprof::collector {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

void CheckForm(std::string_view type, std::string_view body) {
  const auto parts = SplitForm(type, body);
  if (!parts.ok()) {
    Require(!parts.status().message().empty(), "an error says why");
    return;
  }
  const char* end = body.data();
  for (const FormPart& part : *parts) {
    if (part.content.empty()) continue;
    Require(part.content.data() >= end, "parts follow each other");
    end = part.content.data() + part.content.size();
  }
  Require(end <= body.data() + body.size(), "parts lie within the body");
}

void CheckName(std::string_view name) {
  const auto series = SeriesOfPyroscopeName(name);
  if (!series.ok()) {
    Require(!series.status().message().empty(), "an error says why");
    return;
  }
  Require(!series->service.empty(), "a service has a name");
  Require(!series->type.empty(), "a series has a type");
  for (const auto& [key, value] : series->labels) {
    Require(!key.empty() && !value.empty(), "a label is a key and a value");
  }
}

}  // namespace
}  // namespace wallprof::collector

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\n'), size);
  wallprof::collector::CheckName(input.substr(0, end));
  wallprof::collector::CheckForm(input.substr(0, end),
                                 input.substr(std::min(end + 1, size)));
  return 0;
}
