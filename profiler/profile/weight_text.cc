#include "profiler/profile/weight_text.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/profile/sample_types.h"

namespace wallprof {
namespace {

struct TimeUnit {
  double nanoseconds;
  const char* name;
};

constexpr TimeUnit kTimeUnits[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};

std::string TimeText(int64_t nanoseconds) {
  auto value = static_cast<double>(nanoseconds);
  for (const TimeUnit& unit : kTimeUnits) {
    if (std::abs(value) >= unit.nanoseconds) {
      return absl::StrFormat("%.2f%s", value / unit.nanoseconds, unit.name);
    }
  }
  return nanoseconds == 0 ? "0" : absl::StrCat(nanoseconds, "ns");
}

}  // namespace

std::string WeightText(int64_t weight, const ValueType& type) {
  return type.unit == kNanoseconds ? TimeText(weight) : absl::StrCat(weight);
}

std::string WeightWithUnit(int64_t weight, const ValueType& type) {
  return type.unit == kNanoseconds ? TimeText(weight)
                                   : absl::StrCat(weight, " ", type.unit);
}

double Percent(int64_t part, int64_t whole) {
  if (whole == 0) return 0;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace wallprof
