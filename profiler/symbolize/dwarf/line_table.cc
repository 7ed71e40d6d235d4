#include "profiler/symbolize/dwarf/line_table.h"

#include <dwarf.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace wallprof::symbolize {

LineTable::LineTable(DebugFile& file, Dwarf_Die root)
    : compiled_in_(file.Text(&root, DW_AT_comp_dir)) {
  if (!file.LoadLines(&root)) return;
  if (dwarf_getsrclines(&root, &lines_, &line_count_) != 0) line_count_ = 0;
  if (dwarf_getsrcfiles(&root, &files_, &file_count_) != 0) file_count_ = 0;
}

SourcePlace LineTable::PlaceOf(uint64_t address) const {
  // The last row at or below the address is in force.
  size_t low = 0;
  for (size_t high = line_count_; low < high;) {
    const size_t middle = low + (high - low) / 2;
    Dwarf_Addr row = 0;
    dwarf_lineaddr(dwarf_onesrcline(lines_, middle), &row);
    if (row <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return {};
  Dwarf_Line* row = dwarf_onesrcline(lines_, low - 1);
  bool end = false;
  int line = 0;
  if (dwarf_lineendsequence(row, &end) != 0 || end ||
      dwarf_lineno(row, &line) != 0) {
    return {};
  }
  return {Whole(dwarf_linesrc(row, nullptr, nullptr)), line};
}

std::string LineTable::FileOf(uint64_t index) const {
  if (index >= file_count_) return "";
  return Whole(dwarf_filesrc(files_, index, nullptr, nullptr));
}

// libdw leaves directories of DWARF 5 relative that were so for the compiler.
std::string LineTable::Whole(const char* file) const {
  if (file == nullptr) return "";
  if (*file == '/' || compiled_in_.empty() ||
      absl::StartsWith(file, compiled_in_ + "/")) {
    return file;
  }
  return absl::StrCat(compiled_in_, "/", file);
}

}  // namespace wallprof::symbolize
