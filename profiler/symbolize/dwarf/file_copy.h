// A file's bytes in private memory, each page copied when it is needed, and
// behind them what compressed sections of the file unpack to.
//
// To a parser it looks like a mapping of the file, of which it touches a
// little. Unlike a mapping it survives that somebody truncates the file: what
// was not copied by then reads as zeros.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_FILE_COPY_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_FILE_COPY_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/symbolize/dwarf/packed_section.h"

namespace wallprof::symbolize {

// Not thread-safe.
class FileCopy {
 public:
  // Of the open file `fd`, which stays the caller's. The system's error if it
  // cannot be examined or there is no address space left for it.
  static absl::StatusOr<std::unique_ptr<FileCopy>> Of(
      int fd, const std::vector<PackedExtent>& packed = {});

  ~FileCopy();
  FileCopy(const FileCopy&) = delete;
  FileCopy& operator=(const FileCopy&) = delete;

  // The parser may write here; a page is copied once only, unless forgotten.
  char* data() { return data_; }
  size_t size() const { return size_; }

  // Where the section with this index in `packed` begins, unpacked, in `data`.
  size_t unpacked_offset(size_t index) const {
    return regions_[index + 1].begin;
  }

  // Whether `at` is in a section that was packed.
  bool IsUnpacked(const void* at) const {
    const Region* region = RegionOf(at);
    return region != nullptr && region->packed != nullptr;
  }

  // Makes the `size` bytes at `at` those of the file, or of the unpacked
  // section, as far as they lie in it. Pointers to elsewhere are left alone.
  void Read(const void* at, size_t size);

  // The same up to the first zero byte. `at` is then a string: zeros follow
  // the end of the file, and of each section.
  void ReadText(const char* at);

  // Gives back the pages that lie wholly in the `size` bytes at `at`, which
  // read as zeros until they are asked for again.
  void Forget(const void* at, size_t size);

  // Memory in use for what was copied.
  size_t bytes() const;

 private:
  // The file, or an unpacked section. Begins with a page, ends before one.
  struct Region {
    size_t begin = 0;
    size_t size = 0;
    std::unique_ptr<PackedSection> packed;  // null for the file
  };

  FileCopy(int fd, char* data, std::vector<Region> regions);

  const Region* RegionOf(const void* at) const;
  void CopyPages(const Region& region, size_t first, size_t end);

  const int fd_;
  char* const data_;
  const std::vector<Region> regions_;  // by place
  const size_t size_;
  std::vector<bool> copied_;  // by page
  size_t pages_copied_ = 0;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_FILE_COPY_H_
