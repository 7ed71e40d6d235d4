// Whatever the bytes, a selector is read or refused with its place, and asking
// it of a series ends.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fleet/store/selector.h"

namespace wallprof::store {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

void Check(std::string_view text) {
  const absl::StatusOr<Selector> selector = Selector::Parse(text);
  if (!selector.ok()) {
    Require(selector.status().message().find(" of the selector") !=
                absl::string_view::npos,
            "an error names the place");
    return;
  }
  const Series series = {
      "shop", "wall", {{"host", "db-1"}, {"zone", "eu"}, {"zone", "us"}}};
  selector->Matches(series);
  // What an index looks up may not lose anything that matches.
  const auto service = selector->ValueOf("service");
  if (selector->Matches(series) && service.has_value()) {
    Require(*service == series.service, "the index finds what matches");
  }
}

}  // namespace
}  // namespace wallprof::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::store::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
