#include "profiler/symbolize/dwarf/file_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

constexpr size_t kPage = 4096;

// A whole page of zeros behind the file, and behind each section, ends its last
// string.
size_t ReservedBytes(size_t size) { return (size / kPage + 2) * kPage; }

}  // namespace

absl::StatusOr<std::unique_ptr<FileCopy>> FileCopy::Of(
    int fd, const std::vector<PackedExtent>& packed) {
  struct stat status;
  if (fstat(fd, &status) != 0) return absl::ErrnoToStatus(errno, "fstat");
  const int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own_fd < 0) return absl::ErrnoToStatus(errno, "fcntl");
  std::vector<Region> regions;
  regions.push_back({0, static_cast<size_t>(status.st_size), nullptr});
  for (const PackedExtent& extent : packed) {
    const size_t begin =
        regions.back().begin + ReservedBytes(regions.back().size);
    regions.push_back({begin, extent.unpacked_size,
                       std::make_unique<PackedSection>(own_fd, extent)});
  }
  const size_t reserved =
      regions.back().begin + ReservedBytes(regions.back().size);
  void* data = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    const int error = errno;
    close(own_fd);
    return absl::ErrnoToStatus(error, "mmap");
  }
  // Huge pages would hold far more than what is copied.
  madvise(data, reserved, MADV_NOHUGEPAGE);
  return std::unique_ptr<FileCopy>(
      new FileCopy(own_fd, static_cast<char*>(data), std::move(regions)));
}

FileCopy::FileCopy(int fd, char* data, std::vector<Region> regions)
    : fd_(fd),
      data_(data),
      regions_(std::move(regions)),
      size_(regions_.back().begin + regions_.back().size),
      copied_(size_ / kPage + 1) {}

FileCopy::~FileCopy() {
  munmap(data_, regions_.back().begin + ReservedBytes(regions_.back().size));
  close(fd_);
}

const FileCopy::Region* FileCopy::RegionOf(const void* at) const {
  const char* place = static_cast<const char*>(at);
  if (place < data_ || place >= data_ + size_) return nullptr;
  const size_t offset = place - data_;
  for (const Region& region : regions_) {
    if (offset - region.begin < region.size) return &region;
  }
  return nullptr;
}

void FileCopy::Read(const void* at, size_t size) {
  const Region* region = RegionOf(at);
  if (region == nullptr || size == 0) return;
  const size_t offset = static_cast<const char*>(at) - data_;
  const size_t end =
      offset + std::min(size, region->begin + region->size - offset);
  size_t page = offset / kPage;
  const size_t pages_end = (end - 1) / kPage + 1;
  while (page < pages_end) {
    if (copied_[page]) {
      ++page;
      continue;
    }
    const size_t first = page;
    while (page < pages_end && !copied_[page]) ++page;
    CopyPages(*region, first, page);
  }
}

void FileCopy::ReadText(const char* at) {
  while (RegionOf(at) != nullptr) {
    Read(at, 1);
    const size_t rest = kPage - (at - data_) % kPage;
    if (std::memchr(at, 0, rest) != nullptr) return;
    at += rest;
  }
}

void FileCopy::Forget(const void* at, size_t size) {
  if (RegionOf(at) == nullptr) return;
  const size_t offset = static_cast<const char*>(at) - data_;
  const size_t first = (offset + kPage - 1) / kPage;
  const size_t end = (offset + std::min(size, size_ - offset)) / kPage;
  if (first >= end) return;
  madvise(data_ + first * kPage, (end - first) * kPage, MADV_DONTNEED);
  for (size_t page = first; page < end; ++page) {
    if (copied_[page]) --pages_copied_;
    copied_[page] = false;
  }
}

size_t FileCopy::bytes() const {
  size_t bytes = pages_copied_ * kPage + copied_.size() / 8;
  for (const Region& region : regions_) {
    if (region.packed != nullptr) bytes += region.packed->bytes();
  }
  return bytes;
}

void FileCopy::CopyPages(const Region& region, size_t first, size_t end) {
  const size_t offset = first * kPage;
  const size_t size =
      std::min(end * kPage, region.begin + region.size) - offset;
  if (region.packed == nullptr) {
    ReadAt(fd_, offset, size, data_ + offset);
  } else {
    region.packed->Read(offset - region.begin, size, data_ + offset);
  }
  std::fill(copied_.begin() + first, copied_.begin() + end, true);
  pages_copied_ += end - first;
}

}  // namespace wallprof::symbolize
