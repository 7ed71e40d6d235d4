#include "cli/pgo/base_table.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace wallprof::cli {

std::string AgeText(absl::Duration age) {
  constexpr int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  // Clocks of two machines may differ.
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(age));
  if (seconds < kMinute) return absl::StrCat(seconds, "s");
  if (seconds < kHour) {
    return absl::StrCat(seconds / kMinute, "m", seconds % kMinute, "s");
  }
  if (seconds < kDay) {
    return absl::StrCat(seconds / kHour, "h", seconds % kHour / kMinute, "m");
  }
  return absl::StrCat(seconds / kDay, "d", seconds % kDay / kHour, "h");
}

std::string BaseTable(const std::vector<pgo::BaseInfo>& bases, absl::Time now) {
  constexpr int kGap = 3;
  size_t name_width = 4, size_width = 4;  // of the headings
  for (const pgo::BaseInfo& base : bases) {
    name_width = std::max(name_width, base.app.size());
    size_width = std::max(size_width, absl::StrCat(base.bytes).size());
  }
  const int name_column = static_cast<int>(name_width) + kGap;
  const int size_column = static_cast<int>(size_width) + kGap;
  std::string table = absl::StrFormat("%-*s%-*sLAST MODIFIED\n", name_column,
                                      "NAME", size_column, "SIZE");
  for (const pgo::BaseInfo& base : bases) {
    absl::StrAppendFormat(&table, "%-*s%-*d%s ago\n", name_column, base.app,
                          size_column, base.bytes,
                          AgeText(now - base.modified));
  }
  return table;
}

}  // namespace wallprof::cli
