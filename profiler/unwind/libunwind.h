// libunwind, kept to ourselves.
//
// Its shared object exports _Unwind_* and backtrace; linked into a program it
// takes over the program's exceptions. So it is loaded with RTLD_LOCAL and
// called through pointers, and nothing else in the project names it.
#ifndef WALLPROF_PROFILER_UNWIND_LIBUNWIND_H_
#define WALLPROF_PROFILER_UNWIND_LIBUNWIND_H_

#include <libunwind.h>

#include "absl/status/status.h"

namespace wallprof::unwind {

// The functions of its x86-64 remote interface that are used; names as there.
struct LibUnwind {
  decltype(&::unw_create_addr_space) create_addr_space = nullptr;
  decltype(&::unw_destroy_addr_space) destroy_addr_space = nullptr;
  decltype(&::unw_init_remote) init_remote = nullptr;
  decltype(&::unw_step) step = nullptr;
  decltype(&::unw_get_reg) get_reg = nullptr;
  decltype(&::unw_set_caching_policy) set_caching_policy = nullptr;
  decltype(&::unw_set_cache_size) set_cache_size = nullptr;
  decltype(&::unw_flush_cache) flush_cache = nullptr;
  int (*search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t*,
                             unw_proc_info_t*, int, void*) = nullptr;

  // Loads the library on first use; it stays loaded. FailedPrecondition when
  // it cannot be found, naming the package that has it. Calls dlopen: not on
  // the sampler's thread.
  static absl::Status Load();

  // Load must have succeeded.
  static const LibUnwind& Get();

  // The calling thread has all its signals blocked, and needs none blocked
  // around libunwind's locks. Three quarters of a walk's time goes into that:
  // two system calls a frame.
  static void UseFromSampler();

  // It has ended, or was left behind by a fork; its id may be another's next.
  static void ForgetSampler();
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_LIBUNWIND_H_
