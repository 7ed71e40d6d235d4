// The ELF file that DWARF is in, ready for libdw: what libdw reads of its own
// accord is copied, the large sections are left to be copied piece by piece.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_ELF_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_ELF_H_

#include <elf.h>
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "profiler/symbolize/dwarf/file_copy.h"
#include "profiler/symbolize/dwarf/package_index.h"

namespace wallprof::symbolize {

// Not thread-safe.
class DebugElf {
 public:
  // Of the open file `fd`, which stays the caller's. NotFound if it has no
  // .debug_info, ResourceExhausted if more than `max_bytes` of memory would be
  // needed before the first unit is read, InvalidArgument if it is not an
  // x86-64 ELF file. Of a package, `parts` are what there is of the sections
  // that they name: it is then as a file with one unit.
  static absl::StatusOr<std::unique_ptr<DebugElf>> Open(
      int fd, size_t max_bytes, const std::vector<SectionPart>& parts);

  ~DebugElf();
  DebugElf(const DebugElf&) = delete;
  DebugElf& operator=(const DebugElf&) = delete;

  Elf* elf() const { return elf_; }
  FileCopy& copy() { return *copy_; }

  // To be called once libdw has the file, and has unpacked what was packed:
  // gives back what that was unpacked from.
  void ForgetPacked();

  // The content of .debug_NAME, .zdebug_NAME or .debug_NAME.dwo, unpacked;
  // empty if there is none. To be asked for once libdw has the file.
  std::string_view Section(std::string_view name) const;

  // Whether `content` lies in the copy, rather than having been unpacked.
  bool IsCopy(const char* content) const {
    return content >= copy_->data() && content < copy_->data() + copy_->size();
  }

  // Memory in use, unpacked sections included.
  size_t bytes() const { return copy_->bytes() + unpacked_bytes_; }

 private:
  explicit DebugElf(std::unique_ptr<FileCopy> copy) : copy_(std::move(copy)) {}

  absl::Status Prepare(size_t max_bytes, const std::vector<SectionPart>& parts);
  absl::Status ReadHeaders();
  absl::Status PrepareSection(Elf64_Shdr& section, std::string_view name,
                              size_t max_bytes);
  std::string_view NameOf(const Elf64_Shdr& section) const;

  std::unique_ptr<FileCopy> copy_;
  std::vector<Elf64_Shdr> sections_;
  uint64_t headers_offset_ = 0;
  uint64_t names_offset_ = 0;
  uint64_t names_size_ = 0;
  size_t unpacked_bytes_ = 0;
  std::vector<std::string_view> packed_;  // contents, in `copy_`
  bool has_info_ = false;
  Elf* elf_ = nullptr;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_ELF_H_
