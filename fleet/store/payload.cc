#include "fleet/store/payload.h"

#include <libdeflate.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"

namespace wallprof::store {

absl::StatusOr<std::string> Gunzip(std::string_view gzipped, int64_t bytes) {
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const {
      libdeflate_free_decompressor(decompressor);
    }
  };
  thread_local const std::unique_ptr<libdeflate_decompressor, Free>
      decompressor(libdeflate_alloc_decompressor());
  std::string message(static_cast<size_t>(bytes), '\0');
  size_t have = 0;
  do {
    size_t taken = 0;
    size_t given = 0;
    if (libdeflate_gzip_decompress_ex(decompressor.get(), gzipped.data(),
                                      gzipped.size(), message.data() + have,
                                      message.size() - have, &taken,
                                      &given) != LIBDEFLATE_SUCCESS) {
      return absl::DataLossError("record: gzip is damaged");
    }
    gzipped.remove_prefix(taken);
    have += given;
  } while (!gzipped.empty());
  if (have != message.size()) {
    return absl::DataLossError("record: the message is shorter than it was");
  }
  return message;
}

std::optional<std::string> GunzipMember(std::string_view gzipped,
                                        size_t max_bytes) {
  // RFC 1952: the last four bytes are the size, the least significant first.
  constexpr size_t kSizeBytes = 4;
  // What deflate makes of zeros.
  constexpr size_t kLargestRatio = 1032;
  if (gzipped.size() < kSizeBytes) return std::nullopt;
  size_t bytes = 0;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    bytes = bytes << 8 |
            static_cast<unsigned char>(gzipped[gzipped.size() - 1 - i]);
  }
  if (bytes > max_bytes || bytes / kLargestRatio > gzipped.size()) {
    return std::nullopt;
  }
  absl::StatusOr<std::string> message =
      Gunzip(gzipped, static_cast<int64_t>(bytes));
  if (!message.ok()) return std::nullopt;
  return *std::move(message);
}

}  // namespace wallprof::store
