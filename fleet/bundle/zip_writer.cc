#include "fleet/bundle/zip_writer.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace wallprof::bundle {
namespace {

constexpr uint32_t kEntrySignature = 0x04034b50;
constexpr uint32_t kDirectorySignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr size_t kEntryHeaderBytes = 30;
constexpr size_t kDirectoryHeaderBytes = 46;
constexpr size_t kEndBytes = 22;

constexpr uint16_t kNeeded = 10;           // version 1.0: stored entries
constexpr uint16_t kMadeBy = 3 << 8 | 20;  // Unix, whose permissions it has
constexpr uint16_t kStored = 0;
constexpr uint16_t kTime = 0;
constexpr uint16_t kDate = 1 << 5 | 1;  // 1 January 1980
constexpr uint32_t kPermissions = 0100644u << 16;

// Beyond these the format needs its extension.
constexpr uint64_t kMaxBytes = std::numeric_limits<uint32_t>::max() - 1;
constexpr size_t kMaxEntries = std::numeric_limits<uint16_t>::max() - 1;
constexpr size_t kMaxName = std::numeric_limits<uint16_t>::max();

// Little-endian, whatever the machine.
class Fields {
 public:
  Fields& U16(uint16_t value) {
    bytes_ += static_cast<char>(value & 0xff);
    bytes_ += static_cast<char>(value >> 8);
    return *this;
  }
  Fields& U32(uint32_t value) {
    return U16(static_cast<uint16_t>(value & 0xffff))
        .U16(static_cast<uint16_t>(value >> 16));
  }
  Fields& Text(std::string_view text) {
    bytes_.append(text.data(), text.size());
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

uint32_t Crc(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

absl::Status ZipWriter::CheckFits(std::string_view name, size_t size) const {
  const uint64_t needed = offset_ + kEntryHeaderBytes + name.size() + size +
                          directory_bytes_ + kDirectoryHeaderBytes +
                          name.size() + kEndBytes;
  if (size > kMaxBytes || needed > kMaxBytes ||
      entries_.size() >= kMaxEntries || name.size() > kMaxName) {
    return absl::ResourceExhaustedError("it does not fit a zip any more");
  }
  return absl::OkStatus();
}

absl::Status ZipWriter::Add(std::string_view name, std::string_view bytes) {
  if (absl::Status fits = CheckFits(name, bytes.size()); !fits.ok()) {
    return fits;
  }
  const Entry entry{std::string(name), Crc(bytes),
                    static_cast<uint32_t>(bytes.size()),
                    static_cast<uint32_t>(offset_)};
  Fields header;
  header.U32(kEntrySignature).U16(kNeeded).U16(0).U16(kStored).U16(kTime);
  header.U16(kDate).U32(entry.crc).U32(entry.size).U32(entry.size);
  header.U16(static_cast<uint16_t>(name.size())).U16(0).Text(name);
  if (absl::Status wrote = Write(header.bytes()); !wrote.ok()) return wrote;
  if (absl::Status wrote = Write(bytes); !wrote.ok()) return wrote;
  entries_.push_back(entry);
  directory_bytes_ += kDirectoryHeaderBytes + name.size();
  return absl::OkStatus();
}

absl::Status ZipWriter::FinishLastFirst() {
  if (!entries_.empty()) {
    std::rotate(entries_.begin(), entries_.end() - 1, entries_.end());
  }
  const uint64_t start = offset_;
  Fields directory;
  for (const Entry& entry : entries_) {
    directory.U32(kDirectorySignature).U16(kMadeBy).U16(kNeeded).U16(0);
    directory.U16(kStored).U16(kTime).U16(kDate).U32(entry.crc);
    directory.U32(entry.size).U32(entry.size);
    directory.U16(static_cast<uint16_t>(entry.name.size())).U16(0).U16(0);
    directory.U16(0).U16(0).U32(kPermissions).U32(entry.offset);
    directory.Text(entry.name);
  }
  const auto count = static_cast<uint16_t>(entries_.size());
  directory.U32(kEndSignature).U16(0).U16(0).U16(count).U16(count);
  directory.U32(static_cast<uint32_t>(directory_bytes_));
  directory.U32(static_cast<uint32_t>(start)).U16(0);
  return Write(directory.bytes());
}

absl::Status ZipWriter::Write(std::string_view bytes) {
  if (bytes.empty()) return absl::OkStatus();
  absl::Status wrote = sink_(bytes);
  if (wrote.ok()) offset_ += bytes.size();
  return wrote;
}

}  // namespace wallprof::bundle
