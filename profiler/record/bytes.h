// Numbers and texts as bytes, and back: base 128, the lowest seven bits first,
// as protocol buffers have them. Small numbers take one byte.
#ifndef WALLPROF_PROFILER_RECORD_BYTES_H_
#define WALLPROF_PROFILER_RECORD_BYTES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wallprof::record {

class ByteWriter {
 public:
  void Number(uint64_t value) {
    while (value >= 0x80) {
      bytes_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    bytes_ += static_cast<char>(value);
  }

  // Either sign; those near zero are short.
  void Signed(int64_t value) {
    Number((static_cast<uint64_t>(value) << 1) ^
           static_cast<uint64_t>(value >> 63));
  }

  void Text(std::string_view text) {
    Number(text.size());
    bytes_ += text;
  }

  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Whatever the bytes, reads nothing beyond them; what is missing or malformed
// reads as 0 or empty, and is no longer ok() from then on.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

  uint64_t Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    Fail();
    return 0;
  }

  int64_t Signed() {
    const uint64_t coded = Number();
    return static_cast<int64_t>((coded >> 1) ^ (~(coded & 1) + 1));
  }

  std::string_view Text() {
    const uint64_t size = Number();
    if (size > bytes_.size()) {
      Fail();
      return {};
    }
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }

  // A number of things that follow and take a byte each at least.
  uint64_t Count() {
    const uint64_t count = Number();
    if (count <= bytes_.size()) return count;
    Fail();
    return 0;
  }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_BYTES_H_
