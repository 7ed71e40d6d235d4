#include "cli/top_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/profile/weight_text.h"

namespace wallprof::cli {

std::string TopTable(const TopFunctions& top, size_t rows) {
  std::string table =
      absl::StrFormat("%s: %s in all\n%10s %7s %10s %7s  %s\n", top.type.type,
                      WeightWithUnit(top.total, top.type), "self", "self%",
                      "total", "total%", "function");
  size_t shown = std::min(rows, top.functions.size());
  for (size_t i = 0; i < shown; ++i) {
    const FunctionWeight& f = top.functions[i];
    absl::StrAppendFormat(
        &table, "%10s %6.2f%% %10s %6.2f%%  %s\n", WeightText(f.self, top.type),
        Percent(f.self, top.total), WeightText(f.total, top.type),
        Percent(f.total, top.total), f.name);
  }
  if (shown < top.functions.size()) {
    absl::StrAppend(&table, "and ", top.functions.size() - shown, " more\n");
  }
  return table;
}

}  // namespace wallprof::cli
