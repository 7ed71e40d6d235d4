// A sum as a message.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_WRITE_SUM_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_WRITE_SUM_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "profiler/encode/merge/sum_header.h"
#include "profiler/encode/merge/sum_tables.h"

namespace wallprof {

// The bytes that EncodePprofMessage makes of what Merge makes of the same
// profiles. Samples that came to nothing are left out; the others are written
// in the order of `samples`, their numbers.
std::string WriteSum(const SumHeader& header, const SumTables& sum,
                     absl::Span<const uint32_t> samples);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_WRITE_SUM_H_
