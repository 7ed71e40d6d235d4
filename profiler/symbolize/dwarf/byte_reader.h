// Numbers and strings off the front of some bytes.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_BYTE_READER_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_BYTE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wallprof::symbolize {

// Beyond the end of the bytes, numbers are zero and strings empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool at_end() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

  // Of `size` bytes, at most 8.
  uint64_t Fixed(size_t size) {
    uint64_t value = 0;
    bytes_.copy(reinterpret_cast<char*>(&value), std::min(size, sizeof value));
    Skip(size);
    return value;
  }

  uint64_t Leb128() {
    int shift = 0;
    return Digits(shift);
  }

  int64_t SignedLeb128() {
    int shift = 0;
    const uint64_t value = Digits(shift);
    const bool negative = shift > 0 && shift < 64 && (value >> (shift - 1)) & 1;
    return static_cast<int64_t>(negative ? value | ~uint64_t{0} << shift
                                         : value);
  }

  // Up to a zero byte, which is passed over.
  std::string_view Text() {
    const std::string_view text = bytes_.substr(0, bytes_.find('\0'));
    Skip(text.size() + 1);
    return text;
  }

  void Skip(uint64_t size) {
    bytes_.remove_prefix(std::min<uint64_t>(size, bytes_.size()));
  }

  // The next `size` bytes, or as many as there are, which are passed over.
  ByteReader Take(uint64_t size) {
    const ByteReader taken(bytes_.substr(0, size));
    Skip(size);
    return taken;
  }

 private:
  uint64_t Digits(int& shift) {
    uint64_t value = 0;
    while (!bytes_.empty()) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }

  std::string_view bytes_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_BYTE_READER_H_
