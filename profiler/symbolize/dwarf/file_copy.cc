#include "profiler/symbolize/dwarf/file_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

constexpr size_t kPage = 4096;

// A whole page of zeros behind the file ends its last string.
size_t ReservedBytes(size_t file_size) {
  return (file_size / kPage + 2) * kPage;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileCopy>> FileCopy::Of(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return absl::ErrnoToStatus(errno, "fstat");
  const size_t size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, ReservedBytes(size), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap");
  // Huge pages would hold far more than what is copied.
  madvise(data, ReservedBytes(size), MADV_NOHUGEPAGE);
  const int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own_fd < 0) {
    const int error = errno;
    munmap(data, ReservedBytes(size));
    return absl::ErrnoToStatus(error, "fcntl");
  }
  return std::unique_ptr<FileCopy>(
      new FileCopy(own_fd, static_cast<char*>(data), size));
}

FileCopy::FileCopy(int fd, char* data, size_t size)
    : fd_(fd), data_(data), size_(size), copied_(size / kPage + 1) {}

FileCopy::~FileCopy() {
  munmap(data_, ReservedBytes(size_));
  close(fd_);
}

void FileCopy::Read(const void* at, size_t size) {
  const char* begin = static_cast<const char*>(at);
  if (begin < data_ || begin >= data_ + size_ || size == 0) return;
  const size_t offset = begin - data_;
  const size_t end = offset + std::min(size, size_ - offset);
  size_t page = offset / kPage;
  const size_t pages_end = (end - 1) / kPage + 1;
  while (page < pages_end) {
    if (copied_[page]) {
      ++page;
      continue;
    }
    const size_t first = page;
    while (page < pages_end && !copied_[page]) ++page;
    CopyPages(first, page);
  }
}

void FileCopy::ReadText(const char* at) {
  while (at >= data_ && at < data_ + size_) {
    Read(at, 1);
    const size_t rest = kPage - (at - data_) % kPage;
    if (std::memchr(at, 0, rest) != nullptr) return;
    at += rest;
  }
}

void FileCopy::Forget(const void* at, size_t size) {
  const char* begin = static_cast<const char*>(at);
  if (begin < data_ || begin >= data_ + size_) return;
  const size_t offset = begin - data_;
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
  return pages_copied_ * kPage + copied_.size() / 8;
}

void FileCopy::CopyPages(size_t first, size_t end) {
  const size_t offset = first * kPage;
  ReadAt(fd_, offset, std::min(end * kPage, size_) - offset, data_ + offset);
  std::fill(copied_.begin() + first, copied_.begin() + end, true);
  pages_copied_ += end - first;
}

}  // namespace wallprof::symbolize
