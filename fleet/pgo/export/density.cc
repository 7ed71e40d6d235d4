#include "fleet/pgo/export/density.h"

#include <algorithm>

namespace wallprof::pgo {
namespace {

// Of all samples. The rest are in functions that hardly matter, and would say
// the same of every profile: that they are thin.
constexpr double kShare = 0.99;

double ByByte(const SampledCode& code) {
  return static_cast<double>(code.samples) / static_cast<double>(code.bytes);
}

}  // namespace

std::optional<double> DensityOf(std::vector<SampledCode> functions) {
  std::erase_if(functions, [](const SampledCode& code) {
    return code.bytes == 0 || code.samples == 0;
  });
  std::sort(functions.begin(), functions.end(),
            [](const SampledCode& a, const SampledCode& b) {
              return ByByte(a) > ByByte(b);
            });
  double all = 0;
  for (const SampledCode& code : functions) {
    all += static_cast<double>(code.samples);
  }
  double seen = 0;
  for (const SampledCode& code : functions) {
    seen += static_cast<double>(code.samples);
    if (seen >= all * kShare) return ByByte(code);
  }
  return std::nullopt;
}

}  // namespace wallprof::pgo
