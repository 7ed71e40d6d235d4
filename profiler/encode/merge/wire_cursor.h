// Reads protobuf's wire format as protozero does, but for speed: what must hold
// of a field's key is checked where the key is not one of those expected. What
// is wrong is thrown, without words: who refuses a message reads it again to
// say why.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_WIRE_CURSOR_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_WIRE_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wallprof {

struct Malformed {};

enum class WireType : uint32_t { kVarint, kFixed64, kBytes, kFixed32 = 5 };

// A field's key, as the wire has it.
constexpr uint32_t KeyOf(uint32_t field, WireType type) {
  return field << 3 | static_cast<uint32_t>(type);
}
constexpr uint32_t VarintKey(uint32_t field) {
  return KeyOf(field, WireType::kVarint);
}
constexpr uint32_t BytesKey(uint32_t field) {
  return KeyOf(field, WireType::kBytes);
}

class WireCursor {
 public:
  explicit WireCursor(std::string_view message)
      : next_(message.data()), end_(next_ + message.size()) {}

  bool AtEnd() const { return next_ == end_; }
  const char* position() const { return next_; }

  // Of the next field; not AtEnd.
  uint32_t Key() { return static_cast<uint32_t>(Varint()); }

  uint64_t Varint() {
    if (next_ == end_) throw Malformed();
    uint64_t first = static_cast<uint8_t>(*next_);
    if (first < 0x80) {
      ++next_;
      return first;
    }
    if (end_ - next_ >= 2) {
      uint64_t second = static_cast<uint8_t>(next_[1]);
      if (second < 0x80) {
        next_ += 2;
        return (first & 0x7f) | second << 7;
      }
    }
    // The cursor can stay in registers: its address is not taken.
    const Long varint = ReadLong(next_, end_);
    next_ = varint.next;
    return varint.value;
  }

  int64_t Signed() { return static_cast<int64_t>(Varint()); }

  std::string_view Bytes() {
    uint32_t size = static_cast<uint32_t>(Varint());
    const char* begin = next_;
    Advance(size);
    return {begin, size};
  }

  // Passes a field whose key is none of those that the caller reads, which
  // are of the fields 1 to `last_known`: the others only may be of any type.
  void SkipUnknown(uint32_t key, uint32_t last_known) {
    uint32_t field = key >> 3;
    if (field <= last_known || (field >= 19000 && field <= 19999)) {
      throw Malformed();
    }
    switch (static_cast<WireType>(key & 7)) {
      case WireType::kVarint:
        Varint();
        break;
      case WireType::kFixed64:
        Advance(8);
        break;
      case WireType::kBytes:
        Bytes();
        break;
      case WireType::kFixed32:
        Advance(4);
        break;
      default:
        throw Malformed();
    }
  }

 private:
  static constexpr int kLastShift = 63;  // of the tenth byte

  void Advance(size_t size) {
    if (static_cast<size_t>(end_ - next_) < size) throw Malformed();
    next_ += size;
  }

  struct Long {
    uint64_t value;
    const char* next;
  };

  [[gnu::noinline]] static Long ReadLong(const char* next, const char* end) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (next == end) throw Malformed();
      uint64_t byte = static_cast<uint8_t>(*next++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return {value, next};
      if (shift == kLastShift) throw Malformed();
    }
  }

  const char* next_;
  const char* end_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_WIRE_CURSOR_H_
