#include "profiler/encode/gzip.h"

#define ZLIB_CONST  // input is not written to
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "absl/strings/str_cat.h"

namespace wallprof {
namespace {

// zlib's largest window, and its way to ask for gzip's header and trailer.
constexpr int kGzipWindowBits = 15 + 16;

// zlib's default for its own state; only speed depends on it.
constexpr int kMemoryLevel = 8;

// Output is taken in pieces of this size: large enough that the calls do not
// count, small beside the smallest profile worth compressing.
constexpr size_t kChunkBytes = 64 * 1024;

// Makes the next bytes of `rest` zlib's input. Its counters have 32 bits.
void Feed(z_stream& stream, std::string_view& rest) {
  size_t size = std::min<size_t>(rest.size(), std::numeric_limits<uInt>::max());
  stream.next_in = reinterpret_cast<const Bytef*>(rest.data());
  stream.avail_in = static_cast<uInt>(size);
  rest.remove_prefix(size);
}

void OfferSpace(z_stream& stream, std::vector<char>& chunk) {
  stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
  stream.avail_out = static_cast<uInt>(chunk.size());
}

absl::Status Damaged(const z_stream& stream) {
  return absl::InvalidArgumentError(
      absl::StrCat("gzip: ", stream.msg ? stream.msg : "damaged data"));
}

}  // namespace

bool IsGzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

std::string Gzip(std::string_view bytes) {
  z_stream stream = {};
  // zlib fails here and below only for want of memory.
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits,
                   kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, deflateEnd);
  std::string packed;
  std::vector<char> chunk(kChunkBytes);
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    if (stream.avail_in == 0) Feed(stream, bytes);
    OfferSpace(stream, chunk);
    result = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    packed.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  return packed;
}

absl::StatusOr<std::string> Gunzip(std::string_view bytes, size_t max_bytes) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) throw std::bad_alloc();
  std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, inflateEnd);
  std::string unpacked;
  std::vector<char> chunk(kChunkBytes);
  while (true) {
    if (stream.avail_in == 0) Feed(stream, bytes);
    OfferSpace(stream, chunk);
    int result = inflate(&stream, Z_NO_FLUSH);
    size_t size = chunk.size() - stream.avail_out;
    if (size > max_bytes - unpacked.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("more than ", max_bytes, " bytes when unpacked"));
    }
    unpacked.append(chunk.data(), size);
    switch (result) {
      case Z_STREAM_END:  // of one member
        if (stream.avail_in == 0 && bytes.empty()) return unpacked;
        if (inflateReset(&stream) != Z_OK) return Damaged(stream);
        break;
      case Z_OK:
        break;
      case Z_BUF_ERROR:  // nothing was left to read
        return absl::InvalidArgumentError("unexpected EOF");
      case Z_MEM_ERROR:
        throw std::bad_alloc();
      default:
        return Damaged(stream);
    }
  }
}

}  // namespace wallprof
