#include "profiler/unwind/libunwind.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "profiler/unwind/import_slot.h"

namespace wallprof::unwind {
namespace {

constexpr char kSoname[] = "libunwind-x86_64.so.8";

LibUnwind g_libunwind;

// The thread that UseFromSampler was last called on.
std::atomic<pthread_t> g_sampler{};

// What libunwind calls for sigprocmask: on the sampler's thread nothing. The
// program may use the same libunwind on threads of its own.
int SigprocmaskUnlessSampler(int how, const sigset_t* set, sigset_t* before) {
  if (pthread_equal(pthread_self(),
                    g_sampler.load(std::memory_order_relaxed))) {
    return 0;
  }
  return sigprocmask(how, set, before);
}

}  // namespace

absl::Status LibUnwind::Load() {
  if (g_libunwind.step != nullptr) return absl::OkStatus();
  void* library = dlopen(kSoname, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot load ", kSoname, " (package libunwind8): ", dlerror()));
  }
  const char* missing = nullptr;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(
        dlsym(library, name));
    if (function == nullptr) missing = name;
  };
  LibUnwind loaded;
  find("_Ux86_64_create_addr_space", loaded.create_addr_space);
  find("_Ux86_64_destroy_addr_space", loaded.destroy_addr_space);
  find("_Ux86_64_init_remote", loaded.init_remote);
  find("_Ux86_64_step", loaded.step);
  find("_Ux86_64_get_reg", loaded.get_reg);
  find("_Ux86_64_set_caching_policy", loaded.set_caching_policy);
  find("_Ux86_64_set_cache_size", loaded.set_cache_size);
  find("_Ux86_64_flush_cache", loaded.flush_cache);
  find("_Ux86_64_dwarf_search_unwind_table", loaded.search_unwind_table);
  if (missing != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(kSoname, " has no function ", missing));
  }
  // Where there is no such import walks are slower, that is all.
  if (uint64_t* slot = FindImportSlot(library, "sigprocmask")) {
    StoreImport(slot, reinterpret_cast<const void*>(&SigprocmaskUnlessSampler));
  }
  g_libunwind = loaded;
  return absl::OkStatus();
}

void LibUnwind::UseFromSampler() { g_sampler = pthread_self(); }

void LibUnwind::ForgetSampler() { g_sampler = pthread_t{}; }

const LibUnwind& LibUnwind::Get() { return g_libunwind; }

}  // namespace wallprof::unwind
