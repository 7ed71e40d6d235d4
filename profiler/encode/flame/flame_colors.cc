#include "profiler/encode/flame/flame_colors.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_format.h"

namespace wallprof {
namespace {

// Warm, and light enough for black text; neighbours differ by hue more than by
// lightness, so that no frame looks more important than another.
constexpr const char* kWarm[] = {"#f6b26b", "#f9cb6c", "#f4a582", "#ef9a6e",
                                 "#fbd58a", "#f2b5a0", "#f7c08a", "#eaa85c",
                                 "#fde0a0", "#f3a76a", "#f8bc9c", "#ecc06a"};
constexpr const char kGrey[] = "#cccccc";

struct Rgb {
  double red;
  double green;
  double blue;
};
constexpr Rgb kSame = {236, 236, 236};
constexpr Rgb kMore = {222, 82, 64};
constexpr Rgb kLess = {90, 140, 214};

// FNV-1a: the same in every process, as a hash seeded at its start is not.
uint32_t StableHash(std::string_view text) {
  uint32_t hash = 2166136261;
  for (char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  }
  return hash;
}

}  // namespace

std::string ColorOfName(std::string_view name) {
  if (!name.empty() && name.front() == '[') return kGrey;
  return kWarm[StableHash(name) % std::size(kWarm)];
}

std::string ColorOfChange(double change) {
  const Rgb& end = change < 0 ? kLess : kMore;
  double share = std::min(std::abs(change), 1.0);
  auto mix = [share](double from, double to) {
    return static_cast<int>(std::lround(from + (to - from) * share));
  };
  return absl::StrFormat("#%02x%02x%02x", mix(kSame.red, end.red),
                         mix(kSame.green, end.green),
                         mix(kSame.blue, end.blue));
}

}  // namespace wallprof
