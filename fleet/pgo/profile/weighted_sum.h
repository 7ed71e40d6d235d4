// What parts add up to when each counts for something else.
#ifndef WALLPROF_FLEET_PGO_PROFILE_WEIGHTED_SUM_H_
#define WALLPROF_FLEET_PGO_PROFILE_WEIGHTED_SUM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "profiler/encode/merge/pprof_tables.h"
#include "profiler/encode/merge/sum_header.h"
#include "profiler/encode/merge/sum_tables.h"

namespace wallprof::pgo {

// Exact: weights are whole numbers of 2^-32, and products are kept whole, in
// two halves, until all is added. For one thread.
class WeightedSum {
 public:
  WeightedSum();

  // A part's message, of two sample types. `weight`: above 0, at most 1. Errors
  // as PprofMerger; InvalidArgument if there is a negative value.
  absl::Status Add(std::string_view message, double weight);

  // The message. Values become whole by Carry, along samples in the order of
  // content; those that come to nothing are left out. InvalidArgument if there
  // were no parts. Used up.
  absl::StatusOr<std::string> Finish() &&;

 private:
  void SplitValues(uint64_t weight);

  SumHeader header_;
  SumTables sum_{Decides::kContent};
  PprofTables read_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_WEIGHTED_SUM_H_
