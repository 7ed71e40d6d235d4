// Where a loaded library keeps the address of a function that it imports.
#ifndef WALLPROF_PROFILER_UNWIND_IMPORT_SLOT_H_
#define WALLPROF_PROFILER_UNWIND_IMPORT_SLOT_H_

#include <cstdint>

namespace wallprof::unwind {

// The PLT's slot of function `name` in the library that dlopen gave `library`
// for; nullptr if it imports none of that name through the PLT. Reads the
// library's dynamic section (gABI 4.1, "Dynamic Linking"); takes no lock.
uint64_t* FindImportSlot(void* library, const char* name);

// Stores `function` in `slot`, which the loader may have made read-only: by
// pwrite on /proc/self/mem, which fails where a store would fault. Nobody may
// be calling through it. False if it was not stored.
bool StoreImport(uint64_t* slot, const void* function);

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_IMPORT_SLOT_H_
