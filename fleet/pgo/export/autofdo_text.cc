#include "fleet/pgo/export/autofdo_text.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"

namespace wallprof::pgo {

std::string AutofdoText(const CodeCounts& counts,
                        const symbolize::ElfImage& image) {
  std::string lines;
  size_t length = 0;
  for (const auto& [address, count] : counts.at) {
    // Each was made of an offset.
    const std::optional<uint64_t> offset = image.OffsetOf(address);
    if (!offset) continue;
    absl::StrAppend(&lines, absl::Hex(*offset), ":", count, "\n");
    ++length;
  }
  return absl::StrCat("0\n", length, "\n", lines, "0\n");
}

}  // namespace wallprof::pgo
