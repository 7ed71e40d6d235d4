#include "profiler/symbolize/dwarf/line_table.h"

namespace wallprof::symbolize {

LineTable::LineTable(DebugFile& file, Dwarf_Die root) {
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
  const char* file = dwarf_linesrc(row, nullptr, nullptr);
  return {file == nullptr ? "" : file, line};
}

std::string LineTable::FileOf(uint64_t index) const {
  if (index >= file_count_) return "";
  const char* file = dwarf_filesrc(files_, index, nullptr, nullptr);
  return file == nullptr ? "" : file;
}

}  // namespace wallprof::symbolize
