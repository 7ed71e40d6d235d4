// Adding profiles to what others add up to. Either all is added or, for want of
// memory, nothing.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_ADD_TO_SUM_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_ADD_TO_SUM_H_

#include <cstddef>

#include "profiler/encode/merge/pprof_tables.h"
#include "profiler/encode/merge/sum_tables.h"

namespace wallprof {

// Adds a message, whose samples must have been kept and whose types be those
// of the sum. False if the sum would take more than `max_bytes`.
bool AddToSum(const PprofTables& message, size_t max_bytes, SumTables& sum);

// Adds another sum, each of whose samples has `types` values, as if all that
// was added to it had been added here.
bool AddToSum(const SumTables& other, size_t types, size_t max_bytes,
              SumTables& sum);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_ADD_TO_SUM_H_
