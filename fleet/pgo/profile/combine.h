// The base out of its parts.
#ifndef WALLPROF_FLEET_PGO_PROFILE_COMBINE_H_
#define WALLPROF_FLEET_PGO_PROFILE_COMBINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/profile/prune_rules.h"

namespace wallprof::pgo {

struct WeightedPart {
  std::string_view bytes;  // as PartSum::Finish() wrote it
  double weight = 1;       // above 0
};

// What a base is good for.
struct Quality {
  size_t bytes = 0;
  int64_t stacks = 0;
  int64_t functions = 0;
  int64_t samples = 0;  // the column's sum
  int64_t cpu_ns = 0;   // the same
  // Shares of CPU time, 0 to 1: in functions with a name, where the time was
  // spent; in those with a line and the function's first line too, without
  // which Go's compiler has no use for them; in stacks that rules made shorter.
  double named = 0;
  double with_lines = 0;
  double pruned = 0;

  void AddTo(fleet::LogLine& line) const;
};

struct CombinedBase {
  std::string bytes;  // gzipped pprof
  Quality quality;
};

// The weighted sum of `parts`, pruned by the rules of `app`. Values become
// whole numbers such that each column's sum stays right to one, and of a
// hundred samples of weight 0.3 thirty stay: rounding each by itself would
// lose all that is rare. The same parts give the same bytes, in whatever order.
absl::StatusOr<CombinedBase> CombineParts(
    const std::vector<WeightedPart>& parts, std::string_view app,
    const PruneRules& rules);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_COMBINE_H_
