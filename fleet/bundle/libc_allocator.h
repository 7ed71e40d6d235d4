/* Whether the program's allocator is libc's, for whom its numbers are wanted.
 *
 * In C, since the preloaded object asks too. Takes the loader's lock: to be
 * asked when the program is loaded, as a child that is forked while a thread of
 * ours holds it would hang in its first dlopen. */
#ifndef WALLPROF_FLEET_BUNDLE_LIBC_ALLOCATOR_H_
#define WALLPROF_FLEET_BUNDLE_LIBC_ALLOCATOR_H_

#include <dlfcn.h>
#include <elf.h>
#include <stddef.h>

/* Where the object lies that defines `function` for the program. */
static inline const void* HomeOf(const char* function) {
  Dl_info info;
  Elf64_Sym* symbol = NULL;
  void* found = dlsym(RTLD_DEFAULT, function);
  if (found == NULL ||
      dladdr1(found, &info, (void**)&symbol, RTLD_DL_SYMENT) == 0) {
    return NULL;
  }
  /* Executables at fixed addresses have an entry of their own for what they
   * import, which all take for the function. */
  if (symbol != NULL && symbol->st_shndx == SHN_UNDEF) {
    found = dlsym(RTLD_NEXT, function);
    if (found == NULL || dladdr(found, &info) == 0) return NULL;
  }
  return info.dli_fbase;
}

static inline int AllocatorIsLibcs(void) {
  const void* libc = HomeOf("gnu_get_libc_version");
  return libc != NULL && HomeOf("malloc") == libc &&
         HomeOf("mallinfo2") == libc;
}

#endif /* WALLPROF_FLEET_BUNDLE_LIBC_ALLOCATOR_H_ */
