// Reads messages into tables.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_READ_TABLES_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_READ_TABLES_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "profiler/encode/merge/pprof_tables.h"

namespace wallprof {

enum class SamplesKept {
  kNone,  // they are checked and counted
  kAll,
};

// Replaces `tables`. Refuses what DecodePprofMessage does with this
// `max_bytes`, and with its words; but where the profile is wrong and would
// take more than kMaxExplainedBytes, too, it may be called too large.
// `message` must live as long as the tables are used.
absl::Status ReadTables(std::string_view message, size_t max_bytes,
                        SamplesKept kept, PprofTables& tables);

// What is wrong is found by reading again in another way, which takes memory.
// A collector can afford this much for a client in error.
inline constexpr size_t kMaxExplainedBytes = size_t{128} << 20;

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_READ_TABLES_H_
