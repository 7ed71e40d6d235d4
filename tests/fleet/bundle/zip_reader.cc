#include "tests/fleet/bundle/zip_reader.h"

#include <zlib.h>

#include <cstdint>
#include <map>

namespace wallprof::bundle {
namespace {

uint64_t Number(std::string_view bytes, size_t at, size_t size) {
  uint64_t number = 0;
  for (size_t i = size; i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes.at(at + i));
  }
  return number;
}

uint64_t U16(std::string_view bytes, size_t at) { return Number(bytes, at, 2); }
uint64_t U32(std::string_view bytes, size_t at) { return Number(bytes, at, 4); }

}  // namespace

Entries ReadZip(std::string_view bytes, std::string& problem) {
  constexpr size_t kEnd = 22;
  const auto fail = [&problem](const std::string& what) {
    problem = what;
    return Entries();
  };
  if (bytes.size() < kEnd) return fail("too short");
  const size_t end = bytes.size() - kEnd;
  if (U32(bytes, end) != 0x06054b50) return fail("no end");
  const uint64_t count = U16(bytes, end + 10);
  size_t at = U32(bytes, end + 16);
  if (at + U32(bytes, end + 12) != end) return fail("the directory's size");
  Entries entries;
  std::map<uint64_t, uint64_t> extents;  // begin and end of what is stored
  for (uint64_t i = 0; i < count; ++i) {
    if (U32(bytes, at) != 0x02014b50) return fail("no entry of the directory");
    const uint64_t size = U32(bytes, at + 24);
    const uint64_t name_size = U16(bytes, at + 28);
    const uint64_t offset = U32(bytes, at + 42);
    const std::string_view name = bytes.substr(at + 46, name_size);
    if (U32(bytes, offset) != 0x04034b50) return fail("no header");
    // From the version needed to the name's length they are the same.
    if (bytes.substr(at + 6, 24) != bytes.substr(offset + 4, 24) ||
        bytes.substr(offset + 30, name_size) != name) {
      return fail("headers differ");
    }
    if (U16(bytes, at + 8) != 0 || U16(bytes, at + 10) != 0) {
      return fail("flags, or not stored");
    }
    const std::string_view content =
        bytes.substr(offset + 30 + name_size, size);
    if (content.size() != size || U32(bytes, at + 20) != size) {
      return fail("sizes");
    }
    if (crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), size) !=
        U32(bytes, at + 16)) {
      return fail("checksum");
    }
    extents[offset] = offset + 30 + name_size + size;
    entries.emplace_back(name, content);
    at += 46 + name_size;
  }
  if (at != end) return fail("more in the directory");
  uint64_t expected = 0;
  for (const auto& [begin, limit] : extents) {
    if (begin != expected) return fail("a gap between entries");
    expected = limit;
  }
  if (expected != U32(bytes, end + 16)) return fail("a gap at the end");
  return entries;
}

std::vector<std::string> NamesOf(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.first);
  return names;
}

}  // namespace wallprof::bundle
