#include "profiler/unwind/loader_watch.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>

namespace wallprof::unwind {
namespace {

// Words of _rtld_global that are looked at; it has about 550.
constexpr size_t kMaxWords = 1024;

// Libraries of libc's own that hardly any program has loaded, since all that
// was in them is in libc itself now.
constexpr const char* kStubs[] = {"libutil.so.1", "libanl.so.1", "librt.so.1",
                                  "libdl.so.2"};

// Found once, valid for the life of the process: the loader is never unloaded.
std::atomic<const uint64_t*> g_count{nullptr};

// The loader's record for debuggers, likewise; nullptr where it has none.
std::atomic<const r_debug*> g_debug{nullptr};

// The words that held the count at Collect.
std::array<const uint64_t*, kMaxWords> g_candidates;
size_t g_candidate_count = 0;

uint64_t LoaderAdded() {
  uint64_t added = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<uint64_t*>(out) = info->dlpi_adds;
        return 1;
      },
      &added);
  return added;
}

// Where the program's dynamic section says. (The name _r_debug may be found as
// a copy in the program that nobody writes to.)
const r_debug* FindDebug() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
  const size_t count = getauxval(AT_PHNUM);
  uint64_t bias = 0;
  const ElfW(Phdr)* dynamic = nullptr;
  for (size_t i = 0; headers != nullptr && i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) {
      bias = reinterpret_cast<uint64_t>(headers) - headers[i].p_vaddr;
    }
    if (headers[i].p_type == PT_DYNAMIC) dynamic = &headers[i];
  }
  if (dynamic == nullptr) return nullptr;
  for (auto* entry =
           reinterpret_cast<const ElfW(Dyn)*>(bias + dynamic->p_vaddr);
       entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_DEBUG) {
      return reinterpret_cast<const r_debug*>(entry->d_un.d_ptr);
    }
  }
  return nullptr;
}

uint64_t Load(const uint64_t* word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

void KeepEqualTo(uint64_t count) {
  const auto end = std::remove_if(
      g_candidates.begin(), g_candidates.begin() + g_candidate_count,
      [count](const uint64_t* word) { return Load(word) != count; });
  g_candidate_count = static_cast<size_t>(end - g_candidates.begin());
}

}  // namespace

LoaderWatch::Candidates LoaderWatch::Candidates::Collect() {
  Candidates result;
  g_candidate_count = 0;
  void* global = dlsym(RTLD_DEFAULT, "_rtld_global");
  Dl_info info;
  ElfW(Sym)* symbol = nullptr;
  if (global == nullptr ||
      dladdr1(global, &info, reinterpret_cast<void**>(&symbol),
              RTLD_DL_SYMENT) == 0 ||
      symbol == nullptr) {
    return result;
  }
  g_debug.store(FindDebug(), std::memory_order_release);
  result.added = LoaderAdded();
  const auto* words = static_cast<const uint64_t*>(global);
  const size_t count = symbol->st_size / sizeof(uint64_t);
  for (size_t i = 0; i < count && i < kMaxWords; ++i) {
    if (Load(&words[i]) == result.added) {
      g_candidates[g_candidate_count++] = &words[i];
    }
  }
  return result;
}

LoaderWatch LoaderWatch::Candidates::Narrow() const {
  LoaderWatch watch;
  watch.count_ = g_count.load(std::memory_order_acquire);
  if (watch.count_ != nullptr) return watch;
  // Unchanged, nothing was loaded, and any word that looks like the count
  // would pass.
  if (LoaderAdded() == added) return watch;
  KeepEqualTo(LoaderAdded());
  // The count of modules that are loaded now has grown alike; it does not
  // grow by one that comes and goes.
  for (size_t i = 0; i < std::size(kStubs) && g_candidate_count > 1; ++i) {
    if (void* stub = dlopen(kStubs[i], RTLD_LAZY | RTLD_LOCAL)) dlclose(stub);
    KeepEqualTo(LoaderAdded());
  }
  if (g_candidate_count != 1) return watch;
  watch.count_ = g_candidates[0];
  g_count.store(watch.count_, std::memory_order_release);
  return watch;
}

uint64_t LoaderWatch::added() const {
  return count_ == nullptr ? 0 : Load(count_);
}

bool LoaderWatch::settled() const {
  const r_debug* debug = g_debug.load(std::memory_order_acquire);
  return debug == nullptr ||
         __atomic_load_n(&debug->r_state, __ATOMIC_ACQUIRE) ==
             r_debug::RT_CONSISTENT;
}

}  // namespace wallprof::unwind
