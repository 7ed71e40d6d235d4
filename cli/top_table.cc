#include "cli/top_table.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/profile/sample_types.h"

namespace wallprof::cli {
namespace {

struct TimeUnit {
  double nanoseconds;
  const char* name;
};

constexpr TimeUnit kTimeUnits[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};

// In the largest unit of which it is at least one.
std::string TimeText(int64_t nanoseconds) {
  auto value = static_cast<double>(nanoseconds);
  for (const TimeUnit& unit : kTimeUnits) {
    if (std::abs(value) >= unit.nanoseconds) {
      return absl::StrFormat("%.2f%s", value / unit.nanoseconds, unit.name);
    }
  }
  return nanoseconds == 0 ? "0" : absl::StrCat(nanoseconds, "ns");
}

std::string WeightText(int64_t weight, const ValueType& type) {
  return type.unit == kNanoseconds ? TimeText(weight) : absl::StrCat(weight);
}

double Percent(int64_t part, int64_t whole) {
  if (whole == 0) return 0;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string TopTable(const TopFunctions& top, size_t rows) {
  std::string table = absl::StrFormat(
      "%s: %s%s in all\n%10s %7s %10s %7s  %s\n", top.type.type,
      WeightText(top.total, top.type),
      top.type.unit == kNanoseconds ? "" : absl::StrCat(" ", top.type.unit),
      "self", "self%", "total", "total%", "function");
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
