// The body of one message, written a field after the other into memory that is
// used again for the next: protozero's writer asks a string for each byte.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_BODY_WRITER_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_BODY_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "profiler/encode/merge/flat_array.h"
#include "profiler/encode/merge/wire_cursor.h"
#include "profiler/encode/pprof_write.h"

namespace wallprof {

class BodyWriter {
 public:
  void Clear() { bytes_.clear(); }
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

  void AddUnlessZero(uint32_t field, uint64_t value) {
    if (value != 0) Add(field, value);
  }

  // As pprof_wire::AddAll.
  template <typename Number>
  void AddAll(uint32_t field, absl::Span<const Number> numbers) {
    if (numbers.size() < pprof_wire::kShortestPacked) {
      for (Number number : numbers) Add(field, static_cast<uint64_t>(number));
      return;
    }
    size_t size = 0;
    for (Number number : numbers) size += SizeOf(static_cast<uint64_t>(number));
    char* next = Open(field, size);
    for (Number number : numbers) {
      next = Write(static_cast<uint64_t>(number), next);
    }
  }

  void AddMessage(uint32_t field, const BodyWriter& body) {
    char* next = Open(field, body.bytes_.size());
    std::copy(body.bytes_.begin(), body.bytes_.end(), next);
  }

 private:
  static constexpr size_t kLongestVarint = 10;

  static size_t SizeOf(uint64_t value) {
    // Seven bits a byte: the highest bit's place divided by 7, plus one.
    return (static_cast<size_t>(63 - __builtin_clzll(value | 1)) * 9 + 73) / 64;
  }

  static char* Write(uint64_t value, char* next) {
    for (; value >= 0x80; value >>= 7)
      *next++ = static_cast<char>(value | 0x80);
    *next++ = static_cast<char>(value);
    return next;
  }

  void Add(uint32_t field, uint64_t value) {
    char* begin = bytes_.Extend(2 * kLongestVarint);
    char* end = Write(value, Write(VarintKey(field), begin));
    bytes_.Shrink(end - bytes_.data());
  }

  // Where to write the `size` bytes of a field.
  char* Open(uint32_t field, size_t size) {
    char* begin = bytes_.Extend(2 * kLongestVarint + size);
    char* body = Write(size, Write(BytesKey(field), begin));
    bytes_.Shrink(body + size - bytes_.data());
    return body;
  }

  FlatArray<char> bytes_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_BODY_WRITER_H_
