#include "profiler/unwind/import_slot.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <cstring>

#include "profiler/threads/proc_file.h"

namespace wallprof::unwind {

uint64_t* FindImportSlot(void* library, const char* name) {
  link_map* module = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &module) != 0) return nullptr;
  const Elf64_Rela* relocations = nullptr;
  size_t relocation_bytes = 0;
  const Elf64_Sym* symbols = nullptr;
  const char* strings = nullptr;
  // glibc has relocated these addresses.
  for (const Elf64_Dyn* entry = module->l_ld; entry->d_tag != DT_NULL;
       ++entry) {
    if (entry->d_tag == DT_JMPREL) {
      relocations = reinterpret_cast<const Elf64_Rela*>(entry->d_un.d_ptr);
    } else if (entry->d_tag == DT_PLTRELSZ) {
      relocation_bytes = entry->d_un.d_val;
    } else if (entry->d_tag == DT_SYMTAB) {
      symbols = reinterpret_cast<const Elf64_Sym*>(entry->d_un.d_ptr);
    } else if (entry->d_tag == DT_STRTAB) {
      strings = reinterpret_cast<const char*>(entry->d_un.d_ptr);
    }
  }
  if (relocations == nullptr || symbols == nullptr || strings == nullptr) {
    return nullptr;
  }
  for (size_t i = 0; i < relocation_bytes / sizeof(Elf64_Rela); ++i) {
    const Elf64_Sym& symbol = symbols[ELF64_R_SYM(relocations[i].r_info)];
    if (strcmp(strings + symbol.st_name, name) == 0) {
      return reinterpret_cast<uint64_t*>(module->l_addr +
                                         relocations[i].r_offset);
    }
  }
  return nullptr;
}

bool StoreImport(uint64_t* slot, const void* function) {
  const threads::FileDescriptor memory(
      open("/proc/self/mem", O_RDWR | O_CLOEXEC));
  return memory.valid() &&
         pwrite(memory.get(), &function, sizeof(function),
                static_cast<off_t>(reinterpret_cast<uint64_t>(slot))) ==
             static_cast<ssize_t>(sizeof(function));
}

}  // namespace wallprof::unwind
