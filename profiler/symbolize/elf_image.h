// An ELF image: a program or shared library on disk, a file with what was
// stripped off one, or the vDSO in memory.
//
// Says which image it is (build id), where parts of the file lie in its
// address space, and where its symbol tables are. Whatever the file holds,
// reading it never crashes: it is read by pread, never mapped, because a
// mapped file that somebody truncates takes its reader down with SIGBUS.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_ELF_IMAGE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_ELF_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// libelf's handle, named here so that its header stays out of ours.
struct Elf;

namespace wallprof::symbolize {

// Not thread-safe; two images of one file know nothing of each other.
class ElfImage {
 public:
  struct Section {
    uint64_t address = 0;
    uint64_t end = 0;
    bool executable = false;
    std::string name;
    uint64_t offset = 0;
    uint64_t size = 0;  // in the file
  };

  // Where in the file a symbol table and the names of its symbols are.
  struct SymbolTable {
    bool dynamic = false;  // .dynsym: exported and imported symbols only
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t names_offset = 0;
    uint64_t names_size = 0;
  };

  // Opens a file, close-on-exec, until the image is destroyed. The system's
  // error if it cannot be read, InvalidArgument if it is not an x86-64 program
  // or shared library.
  static absl::StatusOr<std::unique_ptr<ElfImage>> Open(
      const std::string& path);

  // The same of bytes in memory.
  static absl::StatusOr<std::unique_ptr<ElfImage>> Parse(std::string bytes);

  // The image that the kernel gave this process. NotFound if it gave none.
  static absl::StatusOr<std::unique_ptr<ElfImage>> Vdso();

  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  // Lower-case hex; empty if the image has none.
  std::string BuildId() const;

  // The content of the section `name`; empty if there is none, or none in the
  // file, or more than `max_bytes`.
  std::string Content(std::string_view name, size_t max_bytes) const;
  bool HasContent(std::string_view name) const;

  // Of the file; -1 for an image in memory. It stays the image's.
  int descriptor() const { return fd_; }

  // The address, before relocation, of the byte at `offset` in the file.
  // nullopt if no segment loads it.
  std::optional<uint64_t> AddressOf(uint64_t offset) const;

  // By index; symbols refer to it.
  const std::vector<Section>& sections() const { return sections_; }

  // .symtab and .dynsym, as far as there are.
  const std::vector<SymbolTable>& symbol_tables() const {
    return symbol_tables_;
  }

  // Copies up to `size` bytes from `offset` on to `to`. Returns how many there
  // were: fewer at the end of the image, 0 beyond it or on an error.
  size_t ReadAt(uint64_t offset, size_t size, void* to) const;

 private:
  ElfImage(int fd, std::string memory);

  absl::Status Load();
  void LoadSections();
  std::string_view BuildIdIn(uint64_t offset, uint64_t size,
                             uint64_t alignment) const;

  const int fd_;        // -1: in memory
  std::string memory_;  // the image, if in memory
  Elf* elf_ = nullptr;
  std::vector<Section> sections_;
  std::vector<SymbolTable> symbol_tables_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_ELF_IMAGE_H_
