// How thick samples lie on code.
#ifndef WALLPROF_FLEET_PGO_EXPORT_DENSITY_H_
#define WALLPROF_FLEET_PGO_EXPORT_DENSITY_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace wallprof::pgo {

struct SampledCode {
  int64_t samples = 0;
  uint64_t bytes = 0;  // of code
};

// Samples by byte of code of the thinnest function that is needed to have 99 %
// of the samples, if those with the most by byte are taken first: as
// llvm-profgen has it. Functions without a size do not count. nullopt where
// there are none.
std::optional<double> DensityOf(std::vector<SampledCode> functions);

// Below it chance decides much. Programs that bench/pgo_speed builds gain most
// of what instrumentation would from 0.02 on: functions of many kilobytes, of
// which little runs, are thin as a whole.
inline constexpr double kThinDensity = 0.01;

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_DENSITY_H_
