// Takes the finalizers from the engine's libraries, as soon as they are loaded.
//
// At exit the loader runs those of every namespace, on the program's thread and
// before the preloaded object ends the engine. They would free what the
// engine's threads still use. They would read thread-specific data of the
// program as their own, since the keys of two libcs are the same numbers: the
// OpenSSL that cpp-httplib brings frees what it finds there. And in a forked
// child they would wait for locks of threads that are not in it. Nothing is
// lost without them; the process ends.
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace wallprof {
namespace {

// Pages of an image that are read-only after relocation.
struct ReadOnlyPages {
  uintptr_t begin = 0;
  uintptr_t end = 0;

  bool Contain(const void* address) const {
    const auto value = reinterpret_cast<uintptr_t>(address);
    return value >= begin && value < end;
  }
  bool Protect(int access) const {
    return mprotect(reinterpret_cast<void*>(begin), end - begin, access) == 0;
  }
};

ReadOnlyPages RelocatedPages(const link_map& library) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  // A shared library's header is its first bytes.
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(library.l_addr);
  const auto* programs =
      reinterpret_cast<const ElfW(Phdr)*>(library.l_addr + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i) {
    if (programs[i].p_type != PT_GNU_RELRO) continue;
    const uintptr_t begin = library.l_addr + programs[i].p_vaddr;
    return {begin & ~(page - 1), (begin + programs[i].p_memsz) & ~(page - 1)};
  }
  return {};
}

// The loader looks into the dynamic section when it is about to call them.
void TakeFinalizers(const link_map& library) {
  ElfW(Dyn)* entry = library.l_ld;
  while (entry->d_tag != DT_NULL && entry->d_tag != DT_FINI_ARRAYSZ) ++entry;
  if (entry->d_tag == DT_NULL || entry->d_un.d_val == 0) return;
  const ReadOnlyPages pages = RelocatedPages(library);
  const bool is_read_only = pages.Contain(entry);
  if (is_read_only && !pages.Protect(PROT_READ | PROT_WRITE)) return;
  entry->d_un.d_val = 0;
  if (is_read_only) pages.Protect(PROT_READ);
}

// Runs after the constructors of the libraries that this one needs, before
// anybody else can see them loaded.
__attribute__((constructor)) void TakeAllFinalizers() {
  Dl_info self;
  link_map* library = nullptr;
  if (dladdr1(reinterpret_cast<void*>(&TakeAllFinalizers), &self,
              reinterpret_cast<void**>(&library), RTLD_DL_LINKMAP) == 0) {
    return;
  }
  // The list is of this namespace.
  while (library->l_prev != nullptr) library = library->l_prev;
  for (; library != nullptr; library = library->l_next) {
    TakeFinalizers(*library);
  }
}

}  // namespace
}  // namespace wallprof
