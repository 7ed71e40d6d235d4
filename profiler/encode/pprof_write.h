// Writing protobuf fields as pprof's encoder does.
#ifndef WALLPROF_PROFILER_ENCODE_PPROF_WRITE_H_
#define WALLPROF_PROFILER_ENCODE_PPROF_WRITE_H_

#include <cstddef>
#include <cstdint>
#include <protozero/pbf_writer.hpp>

#include "absl/types/span.h"

namespace wallprof::pprof_wire {

// pprof packs lists from three numbers on; the bytes are no fewer before.
inline constexpr size_t kShortestPacked = 3;

inline void AddUnlessZero(protozero::pbf_writer& message, uint32_t field,
                          uint64_t value) {
  if (value != 0) message.add_uint64(field, value);
}

inline void AddUnlessZero(protozero::pbf_writer& message, uint32_t field,
                          int64_t value) {
  if (value != 0) message.add_int64(field, value);
}

inline void AddUnlessFalse(protozero::pbf_writer& message, uint32_t field,
                           bool value) {
  if (value) message.add_bool(field, value);
}

inline void AddAll(protozero::pbf_writer& message, uint32_t field,
                   absl::Span<const uint64_t> numbers) {
  if (numbers.size() >= kShortestPacked) {
    message.add_packed_uint64(field, numbers.begin(), numbers.end());
    return;
  }
  for (uint64_t number : numbers) message.add_uint64(field, number);
}

inline void AddAll(protozero::pbf_writer& message, uint32_t field,
                   absl::Span<const int64_t> numbers) {
  if (numbers.size() >= kShortestPacked) {
    message.add_packed_int64(field, numbers.begin(), numbers.end());
    return;
  }
  for (int64_t number : numbers) message.add_int64(field, number);
}

}  // namespace wallprof::pprof_wire

#endif  // WALLPROF_PROFILER_ENCODE_PPROF_WRITE_H_
