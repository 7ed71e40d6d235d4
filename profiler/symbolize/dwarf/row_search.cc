#include "profiler/symbolize/dwarf/row_search.h"

#include <elfutils/libdw.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/dwarf/debug_file.h"
#include "profiler/symbolize/dwarf/line_table.h"
#include "profiler/symbolize/dwarf/unit_search.h"

namespace wallprof::symbolize {

absl::StatusOr<std::vector<uint64_t>> FindRowAddresses(
    const SourceFiles& files, const std::vector<AddressRange>& ranges,
    size_t max_bytes) {
  absl::StatusOr<std::unique_ptr<DebugFile>> opened =
      DebugFile::Open(files.image->descriptor(), max_bytes);
  if (!opened.ok()) return opened.status();
  DebugFile& file = **opened;
  const size_t empty_bytes = file.bytes();
  std::vector<uint64_t> begins;
  begins.reserve(ranges.size());
  for (const AddressRange& range : ranges) begins.push_back(range.begin);
  std::vector<uint64_t> rows;
  for (const auto& [unit, unused] :
       FindUnits(file, begins, files.lowest_code)) {
    Dwarf_Die root;
    if (dwarf_offdie(file.dwarf(), file.units()[unit].root, &root) == nullptr) {
      continue;
    }
    const size_t needed = file.LineBytesNeeded(&root);
    if (file.bytes() + needed > max_bytes ||
        file.bytes() > empty_bytes + DebugFile::kMostToGrow) {
      file.Forget();
    }
    if (file.bytes() + needed > max_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "one of its line tables needs more than ", max_bytes >> 20, " MiB"));
    }
    const std::vector<uint64_t> found =
        LineTable(file, root).RowStarts(ranges, files.lowest_code);
    rows.insert(rows.end(), found.begin(), found.end());
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace wallprof::symbolize
