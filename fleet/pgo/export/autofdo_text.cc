#include "fleet/pgo/export/autofdo_text.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace wallprof::pgo {

std::string AutofdoText(const CodeCounts& counts,
                        const symbolize::ElfImage& image) {
  std::string lines;
  size_t length = 0;
  // The tool adds to each where the file's beginning is.
  const uint64_t base = image.AddressOf(0).value_or(0);
  for (const auto& [address, count] : counts.at) {
    if (address < base) continue;
    absl::StrAppend(&lines, absl::Hex(address - base), ":", count, "\n");
    ++length;
  }
  return absl::StrCat("0\n", length, "\n", lines, "0\n");
}

}  // namespace wallprof::pgo
