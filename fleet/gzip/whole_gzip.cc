#include "fleet/gzip/whole_gzip.h"

#include <libdeflate.h>

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "wallprof/pprof_merge.h"

namespace wallprof::fleet {
namespace {

// Of a member: fixed fields in front, checksum and size behind.
constexpr size_t kFewestBytes = 18;
constexpr size_t kSizeBytes = 4;

// Deflate cannot do better. What claims to is damaged or an attack, and gets no
// memory for it.
constexpr size_t kBestRatio = 1032;

// libdeflate's fastest: the levels above take longer by more than they save.
constexpr int kLevel = 1;

struct Free {
  void operator()(libdeflate_decompressor* decompressor) const {
    libdeflate_free_decompressor(decompressor);
  }
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

// How large the last member says that it is when unpacked.
size_t SizeOfLast(std::string_view bytes) {
  size_t size = 0;
  for (size_t i = 1; i <= kSizeBytes; ++i) {
    size = size << 8 | static_cast<uint8_t>(bytes[bytes.size() - i]);
  }
  return size;
}

// Unpacks `bytes` if they are one sound member; false if they are anything
// else.
bool UnpackOne(std::string_view bytes, size_t max_bytes, std::string& message) {
  if (bytes.size() < kFewestBytes) return false;
  const size_t size = SizeOfLast(bytes);
  if (size > max_bytes || size / kBestRatio > bytes.size()) return false;
  thread_local const std::unique_ptr<libdeflate_decompressor, Free>
      decompressor(libdeflate_alloc_decompressor());
  if (decompressor == nullptr) throw std::bad_alloc();
  message.resize(size);
  size_t taken = 0;
  size_t given = 0;
  return libdeflate_gzip_decompress_ex(decompressor.get(), bytes.data(),
                                       bytes.size(), message.data(), size,
                                       &taken, &given) == LIBDEFLATE_SUCCESS &&
         taken == bytes.size() && given == size;
}

}  // namespace

bool IsGzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

absl::StatusOr<std::string> UnpackWhole(std::string_view bytes,
                                        size_t max_bytes) {
  std::string message;
  absl::Status unpacked = UnpackWhole(bytes, max_bytes, message);
  if (!unpacked.ok()) return unpacked;
  return message;
}

absl::Status UnpackWhole(std::string_view bytes, size_t max_bytes,
                         std::string& message) {
  if (UnpackOne(bytes, max_bytes, message)) return absl::OkStatus();
  // Several members, no gzip at all, or damaged: rare, and zlib knows which.
  message = std::string();
  absl::StatusOr<std::string> unpacked = UnpackPprof(bytes, max_bytes);
  if (unpacked.ok()) message = *std::move(unpacked);
  return unpacked.status();
}

std::string PackWhole(std::string_view message) {
  thread_local const std::unique_ptr<libdeflate_compressor, Free> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (compressor == nullptr) throw std::bad_alloc();
  std::string packed(
      libdeflate_gzip_compress_bound(compressor.get(), message.size()), '\0');
  packed.resize(libdeflate_gzip_compress(compressor.get(), message.data(),
                                         message.size(), packed.data(),
                                         packed.size()));
  return packed;
}

}  // namespace wallprof::fleet
