#include "profiler/symbolize/debug_locator.h"

#include <lzma.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/debuginfod.h"

namespace wallprof::symbolize {
namespace {

// Names of files, with a checksum or a build id behind.
constexpr size_t kLongestLink = 8 << 10;

// Symbols of a large program are some megabytes; packed, a fifth of that.
constexpr size_t kLargestMiniImage = 32 << 20;
constexpr size_t kLargestPackedMiniImage = 8 << 20;

// What the decoder may take for its dictionary.
constexpr uint64_t kDecoderBytes = 64 << 20;

constexpr size_t kChecksumPiece = 64 << 10;

// Of a section that begins with a file's name, the name and what follows.
struct Link {
  std::string name;
  std::string rest;
};

std::optional<Link> LinkIn(const ElfImage& image, std::string_view section) {
  const std::string content = image.Content(section, kLongestLink);
  const size_t length = strnlen(content.data(), content.size());
  if (length == 0 || length == content.size()) return std::nullopt;
  return Link{content.substr(0, length), content.substr(length + 1)};
}

uint32_t ChecksumOf(const ElfImage& image) {
  std::vector<unsigned char> piece(kChecksumPiece);
  uLong checksum = crc32(0, nullptr, 0);
  for (uint64_t at = 0;;) {
    const size_t got = image.ReadAt(at, piece.size(), piece.data());
    if (got == 0) return static_cast<uint32_t>(checksum);
    checksum = crc32(checksum, piece.data(), static_cast<uInt>(got));
    at += got;
  }
}

// Opens `path` if the image there is the one with this build id.
LocatedImage OpenIfBuildId(const std::string& path,
                           const std::string& build_id) {
  absl::StatusOr<std::unique_ptr<ElfImage>> image = ElfImage::Open(path);
  if (!image.ok() || (*image)->BuildId() != build_id) return {};
  return {*std::move(image), path};
}

LocatedImage FindByBuildId(const std::string& build_id,
                           const std::vector<std::string>& roots) {
  if (build_id.size() <= 2) return {};
  for (const std::string& root : roots) {
    LocatedImage found =
        OpenIfBuildId(absl::StrCat(root, "/.build-id/", build_id.substr(0, 2),
                                   "/", build_id.substr(2), ".debug"),
                      build_id);
    if (found.image != nullptr) return found;
  }
  return {};
}

LocatedImage Download(const std::string& build_id, const DebugPlaces& places) {
  const std::string path =
      places.servers ? DownloadDebugFile(build_id) : std::string();
  return path.empty() ? LocatedImage() : OpenIfBuildId(path, build_id);
}

// Opens `path` if its checksum is this, and it is not of another build.
LocatedImage OpenIfChecksum(const std::string& path, uint32_t checksum,
                            const std::string& build_id) {
  absl::StatusOr<std::unique_ptr<ElfImage>> image = ElfImage::Open(path);
  if (!image.ok()) return {};
  const std::string own_id = (*image)->BuildId();
  if (!own_id.empty() && !build_id.empty() && own_id != build_id) return {};
  if (ChecksumOf(**image) != checksum) return {};
  return {*std::move(image), path};
}

LocatedImage FindByLink(const ElfImage& image, const std::string& path,
                        const std::vector<std::string>& roots) {
  // The vDSO has no directory.
  if (path.empty() || path.front() == '[') return {};
  std::error_code error;
  const std::filesystem::path directory =
      std::filesystem::absolute(path, error).parent_path();
  if (error) return {};
  const std::optional<Link> link = LinkIn(image, ".gnu_debuglink");
  uint32_t checksum = 0;
  // The checksum is the last, aligned to its size.
  if (!link.has_value() || link->rest.size() < sizeof checksum) return {};
  std::memcpy(&checksum,
              link->rest.data() + link->rest.size() - sizeof checksum,
              sizeof checksum);
  const std::filesystem::path name =
      std::filesystem::path(link->name).filename();
  std::vector<std::filesystem::path> candidates = {directory / name,
                                                   directory / ".debug" / name};
  for (const std::string& root : roots) {
    candidates.push_back(root / directory.relative_path() / name);
  }
  const std::string build_id = image.BuildId();
  for (const std::filesystem::path& candidate : candidates) {
    LocatedImage found = OpenIfChecksum(candidate, checksum, build_id);
    if (found.image != nullptr) return found;
  }
  return {};
}

}  // namespace

LocatedImage FindDebugImage(const ElfImage& image, const std::string& path,
                            const DebugPlaces& places) {
  const std::string build_id = image.BuildId();
  LocatedImage found = FindByBuildId(build_id, places.roots);
  if (found.image == nullptr) found = FindByLink(image, path, places.roots);
  if (found.image == nullptr) found = Download(build_id, places);
  return found;
}

LocatedImage FindAlternateImage(const ElfImage& debug, const std::string& path,
                                const DebugPlaces& places) {
  const std::optional<Link> link = LinkIn(debug, ".gnu_debugaltlink");
  if (!link.has_value()) return {};
  const std::string build_id =
      absl::BytesToHexString(absl::string_view(link->rest));
  // An absolute name stays as it is.
  LocatedImage found = OpenIfBuildId(
      std::filesystem::path(path).parent_path() / link->name, build_id);
  if (found.image == nullptr) found = FindByBuildId(build_id, places.roots);
  if (found.image == nullptr) found = Download(build_id, places);
  return found;
}

std::unique_ptr<ElfImage> UnpackMiniImage(const ElfImage& image) {
  const std::string packed =
      image.Content(".gnu_debugdata", kLargestPackedMiniImage);
  if (packed.empty()) return nullptr;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kDecoderBytes, /*flags=*/0) != LZMA_OK) {
    return nullptr;
  }
  std::string unpacked;
  stream.next_in = reinterpret_cast<const uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  lzma_ret result = LZMA_OK;
  while (result == LZMA_OK && unpacked.size() < kLargestMiniImage) {
    uint8_t piece[16 << 10];
    stream.next_out = piece;
    stream.avail_out = sizeof piece;
    result = lzma_code(&stream, LZMA_FINISH);
    unpacked.append(reinterpret_cast<char*>(piece),
                    sizeof piece - stream.avail_out);
  }
  lzma_end(&stream);
  if (result != LZMA_STREAM_END) return nullptr;
  absl::StatusOr<std::unique_ptr<ElfImage>> mini =
      ElfImage::Parse(std::move(unpacked));
  return mini.ok() ? *std::move(mini) : nullptr;
}

}  // namespace wallprof::symbolize
