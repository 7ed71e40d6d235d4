// Reads of the process's own memory that cannot fault.
#ifndef WALLPROF_PROFILER_UNWIND_MEMORY_H_
#define WALLPROF_PROFILER_UNWIND_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "profiler/threads/proc_file.h"

namespace wallprof::unwind {

// By pread on /proc/thread-self/mem, which answers EIO where a load would
// fault. It takes no lock of the program's and pins no page, as
// process_vm_readv does; thread-self works after the main thread has ended.
// Where the file is withheld, by process_vm_readv on the calling thread.
class Memory {
 public:
  // Must be made on the thread that uses it.
  Memory();

  // Bytes read from `address` on: `size`, fewer if unmapped memory lies
  // between, 0 if already the first byte cannot be read.
  size_t Read(uint64_t address, void* to, size_t size) const;

  bool ReadWord(uint64_t address, uint64_t& word) const {
    return Read(address, &word, sizeof(word)) == sizeof(word);
  }

  // Empty when pread works, else why it does not: an errno.
  int open_error() const { return open_error_; }
  bool works() const;

 private:
  threads::FileDescriptor file_;
  int open_error_ = 0;
};

// Copies of pages that do not change while a module is loaded (unwind tables
// and code), so that a walk reads them without a system call each.
class PageCache {
 public:
  explicit PageCache(const Memory& memory);

  // As Memory::Read, all or nothing.
  bool Read(uint64_t address, void* to, size_t size);

  void Clear();

 private:
  static constexpr size_t kPageBytes = 4096;
  // 4 MiB: the unwind tables that the stacks of a large program touch.
  static constexpr size_t kPages = 1024;

  static constexpr uint64_t kNoAddress = 1;  // no page starts there

  struct Page {
    uint64_t address = kNoAddress;
    std::array<std::byte, kPageBytes> bytes;
  };

  const Page* Find(uint64_t page_address);

  const Memory& memory_;
  std::unique_ptr<Page[]> pages_;  // direct-mapped by address
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_MEMORY_H_
