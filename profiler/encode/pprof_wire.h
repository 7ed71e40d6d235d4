// Reading protobuf fields that cannot be trusted. What is wrong is thrown, as
// protozero does it; the decoder catches all of it.
#ifndef WALLPROF_PROFILER_ENCODE_PPROF_WIRE_H_
#define WALLPROF_PROFILER_ENCODE_PPROF_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace wallprof::pprof_wire {

// Thrown beside protozero's exceptions and caught with them, by the decoder.
struct Refused {
  std::string why;
};

// In front of what is wrong with the message, as pprof has it.
inline constexpr char kMalformed[] = "unrecognized profile format: ";

[[noreturn]] inline void ThrowMalformed(absl::string_view reason) {
  throw Refused{absl::StrCat(kMalformed, reason)};
}

// What the profile may still take of memory.
class Budget {
 public:
  explicit Budget(size_t bytes) : limit_(bytes), left_(bytes) {}

  void Take(size_t bytes) {
    if (bytes > left_) {
      throw Refused{absl::StrCat("more than ", limit_, " bytes in memory")};
    }
    left_ -= bytes;
  }

 private:
  size_t limit_;
  size_t left_;
};

// The current field's value. Its wire type is checked first: protozero only
// asserts it.
inline uint64_t Number(protozero::pbf_reader& message) {
  if (!message.has_wire_type(protozero::pbf_wire_type::varint)) {
    ThrowMalformed("type mismatch");
  }
  return message.get_uint64();
}

inline int64_t Signed(protozero::pbf_reader& message) {
  return static_cast<int64_t>(Number(message));
}

inline std::string_view Bytes(protozero::pbf_reader& message) {
  if (!message.has_wire_type(protozero::pbf_wire_type::length_delimited)) {
    ThrowMalformed("type mismatch");
  }
  protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
}

inline protozero::pbf_reader Message(protozero::pbf_reader& message) {
  std::string_view bytes = Bytes(message);
  return protozero::pbf_reader(bytes.data(), bytes.size());
}

// Calls `take` with each number of a repeated field, packed or not.
template <typename Take>
void ReadNumbers(protozero::pbf_reader& message, Take take) {
  if (message.has_wire_type(protozero::pbf_wire_type::varint)) {
    take(message.get_uint64());
    return;
  }
  std::string_view packed = Bytes(message);
  const char* next = packed.data();
  const char* end = next + packed.size();
  while (next != end) take(protozero::decode_varint(&next, end));
}

}  // namespace wallprof::pprof_wire

#endif  // WALLPROF_PROFILER_ENCODE_PPROF_WIRE_H_
