// In which order a sum's samples are written. All else follows from it:
// entities are numbered as samples lead to them.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SAMPLE_ORDER_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SAMPLE_ORDER_H_

#include <cstdint>
#include <vector>

#include "profiler/encode/merge/sum_tables.h"

namespace wallprof {

// Numbers of the sum's samples: in order of arrival, or where content decides,
// by their stacks from the root on and then by their labels, so that equal sums
// are in equal order and neighbours have the most in common.
std::vector<uint32_t> SampleOrder(const SumTables& sum);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SAMPLE_ORDER_H_
