// Gzip, as pprof files are packed.
#ifndef WALLPROF_PROFILER_ENCODE_GZIP_H_
#define WALLPROF_PROFILER_ENCODE_GZIP_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wallprof {

// Whether `bytes` begin as a gzip member does.
bool IsGzip(std::string_view bytes);

// One member without name or time, so that equal input gives equal output.
std::string Gzip(std::string_view bytes);

// The members of `bytes`, unpacked and concatenated. InvalidArgument if they
// are cut short, damaged or more than `max_bytes`, of which no more is held.
absl::StatusOr<std::string> Gunzip(std::string_view bytes, size_t max_bytes);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_GZIP_H_
