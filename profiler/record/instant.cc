#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "wallprof/recorder.h"

namespace wallprof {
namespace {

// Digits with, at most, a fraction; neither sign nor exponent.
bool ParseDecimal(absl::string_view text, double& value) {
  return text.find_first_not_of("0123456789.") == absl::string_view::npos &&
         absl::SimpleAtod(text, &value) && std::isfinite(value);
}

// "10m"
bool ParseDuration(absl::string_view text, absl::Duration& duration) {
  if (text.empty()) return false;
  absl::Duration unit;
  switch (text.back()) {
    case 's':
      unit = absl::Seconds(1);
      break;
    case 'm':
      unit = absl::Minutes(1);
      break;
    case 'h':
      unit = absl::Hours(1);
      break;
    default:
      return false;
  }
  double count = 0;
  text.remove_suffix(1);
  if (!ParseDecimal(text, count)) return false;
  duration = count * unit;
  return true;
}

}  // namespace

absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now) {
  absl::string_view view(text.data(), text.size());
  absl::Time time;
  absl::Duration ago;
  double seconds = 0;
  std::string error;
  const bool relative = absl::ConsumePrefix(&view, "-");
  if (relative && ParseDuration(view, ago)) return now - ago;
  if (!relative && ParseDecimal(view, seconds)) {
    return absl::UnixEpoch() + absl::Seconds(seconds);
  }
  if (!relative && absl::ParseTime(absl::RFC3339_full, view, &time, &error) &&
      time != absl::InfiniteFuture()) {
    return time;
  }
  return absl::InvalidArgumentError(
      "a time like -10m, 2026-01-02T03:04:05Z or 1767323045");
}

}  // namespace wallprof
