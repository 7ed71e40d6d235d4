#include "cli/top_table.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/weight_text.h"

namespace wallprof::cli {

namespace {

std::string SignedText(int64_t weight, const ValueType& type) {
  return absl::StrCat(weight > 0 ? "+" : "", WeightText(weight, type));
}

// Header and rows of a profile as it is.
void AppendShares(const TopFunctions& top, size_t rows, std::string& table) {
  absl::StrAppendFormat(&table, "%s: %s in all\n%10s %7s %10s %7s  %s\n",
                        top.type.type, WeightWithUnit(top.total, top.type),
                        "self", "self%", "total", "total%", "function");
  for (size_t i = 0; i < rows; ++i) {
    const FunctionWeight& f = top.functions[i];
    absl::StrAppendFormat(
        &table, "%10s %6.2f%% %10s %6.2f%%  %s\n", WeightText(f.self, top.type),
        Percent(f.self, top.total), WeightText(f.total, top.type),
        Percent(f.total, top.total), f.name);
  }
}

// Of a difference: what each side has, and what that changes.
void AppendChanges(const TopFunctions& top, size_t rows, std::string& table) {
  absl::StrAppendFormat(
      &table, "%s: before %s, after %s\n%10s %10s %10s %12s  %s\n",
      top.type.type, WeightWithUnit(top.base, top.type),
      WeightWithUnit(SaturatingSubtract(top.total, top.base), top.type), "self",
      "before", "after", "total", "function");
  for (size_t i = 0; i < rows; ++i) {
    const FunctionWeight& f = top.functions[i];
    absl::StrAppendFormat(
        &table, "%10s %10s %10s %12s  %s\n", SignedText(f.self, top.type),
        WeightText(f.base_self, top.type),
        WeightText(SaturatingAdd(f.self, f.base_self), top.type),
        SignedText(f.total, top.type), f.name);
  }
}

}  // namespace

std::string TopTable(const TopFunctions& top, size_t rows) {
  std::string table;
  size_t shown = std::min(rows, top.functions.size());
  if (top.is_difference) {
    AppendChanges(top, shown, table);
  } else {
    AppendShares(top, shown, table);
  }
  if (shown < top.functions.size()) {
    absl::StrAppend(&table, "and ", top.functions.size() - shown, " more\n");
  }
  return table;
}

std::string LossLine(const Profile& profile) {
  constexpr std::string_view kPrefix = "wallprof: lost ";
  std::string line;
  for (const std::string& comment : profile.comments) {
    if (comment.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    line += (line.empty() ? "lost: " : ", ") + comment.substr(kPrefix.size());
  }
  return line.empty() ? line : line + "\n";
}

}  // namespace wallprof::cli
