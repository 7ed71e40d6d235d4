// The ELF file that DWARF is in, ready for libdw: what libdw reads of its own
// accord is copied, the large sections are left to be copied piece by piece.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_ELF_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_ELF_H_

#include <elf.h>
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
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

  // The content of .debug_NAME, .zdebug_NAME or .debug_NAME.dwo, unpacked;
  // empty if there is none. To be asked for once libdw has the file.
  std::string_view Section(std::string_view name) const;

  // Memory in use.
  size_t bytes() const { return copy_->bytes(); }

 private:
  explicit DebugElf(std::unique_ptr<FileCopy> copy) : copy_(std::move(copy)) {}

  absl::Status Prepare(size_t max_bytes, const std::vector<SectionPart>& parts);
  absl::Status Begin(uint64_t headers_offset, uint64_t names_offset);
  void Unpack(Elf64_Shdr& section, uint64_t offset, uint64_t size);
  std::string_view NameOf(const Elf64_Shdr& section) const;

  std::unique_ptr<FileCopy> copy_;
  std::vector<Elf64_Shdr> sections_;
  std::string names_;  // of sections
  Elf* elf_ = nullptr;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_ELF_H_
