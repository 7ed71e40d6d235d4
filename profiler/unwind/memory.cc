#include "profiler/unwind/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace wallprof::unwind {

Memory::Memory()
    : file_(open("/proc/thread-self/mem", O_RDONLY | O_CLOEXEC)),
      open_error_(file_.valid() ? 0 : errno) {}

bool Memory::works() const {
  const uint64_t probe = 0x77616c6c70726f66;
  uint64_t word = 0;
  return ReadWord(reinterpret_cast<uint64_t>(&probe), word) && word == probe;
}

size_t Memory::Read(uint64_t address, void* to, size_t size) const {
  ssize_t n;
  if (file_.valid()) {
    n = pread(file_.get(), to, size, static_cast<off_t>(address));
  } else {
    // The thread's own id, not the process's: the latter answers ESRCH once
    // the main thread has ended.
    iovec local{to, size};
    iovec remote{reinterpret_cast<void*>(address), size};
    n = process_vm_readv(static_cast<pid_t>(syscall(SYS_gettid)), &local, 1,
                         &remote, 1, 0);
  }
  return n > 0 ? static_cast<size_t>(n) : 0;
}

PageCache::PageCache(const Memory& memory)
    // for_overwrite: pages are touched as they are filled, not now.
    : memory_(memory), pages_(std::make_unique_for_overwrite<Page[]>(kPages)) {
  Clear();
}

void PageCache::Clear() {
  for (size_t i = 0; i < kPages; ++i) pages_[i].address = kNoAddress;
}

const PageCache::Page* PageCache::Find(uint64_t page_address) {
  Page& page = pages_[(page_address / kPageBytes) % kPages];
  if (page.address != page_address) {
    page.address = kNoAddress;
    if (memory_.Read(page_address, page.bytes.data(), kPageBytes) !=
        kPageBytes) {
      return nullptr;
    }
    page.address = page_address;
  }
  return &page;
}

bool PageCache::Read(uint64_t address, void* to, size_t size) {
  auto* out = static_cast<std::byte*>(to);
  while (size > 0) {
    const uint64_t offset = address % kPageBytes;
    const Page* page = Find(address - offset);
    if (page == nullptr) return false;
    const size_t length = std::min<size_t>(size, kPageBytes - offset);
    memcpy(out, page->bytes.data() + offset, length);
    out += length;
    address += length;
    size -= length;
  }
  return true;
}

}  // namespace wallprof::unwind
