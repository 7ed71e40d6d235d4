// Of a sum, everything but samples and what they lead to.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SUM_HEADER_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SUM_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "profiler/encode/merge/pprof_tables.h"
#include "wallprof/profile.h"

namespace wallprof {

struct SumHeader {
  size_t profiles = 0;  // so many were added
  std::vector<ValueType> sample_types;
  std::string drop_frames;
  std::string keep_frames;
  std::string default_sample_type;
  std::string doc_url;
  ValueType period_type;
  int64_t period = 0;
  int64_t time_nanos = 0;
  absl::Duration duration;
};

SumHeader HeaderOf(const PprofTables& tables);

// InvalidArgument, in Merge's words, if profiles with these do not add up.
// Everything adds up with no profiles.
absl::Status CheckCompatible(const SumHeader& sum, const SumHeader& added);

// Who decides what only one of several profiles can have in a sum.
enum class Decides {
  kFirst,    // the first that has something to say, as in pprof
  kContent,  // the least in bytewise order, whoever came first
};

// They must be compatible.
void AddHeader(SumHeader& sum, const SumHeader& added, Decides decides);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SUM_HEADER_H_
