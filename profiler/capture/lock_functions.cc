#include "profiler/capture/lock_functions.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>

namespace wallprof::capture {
namespace {

using Kind = LockFunctions::Kind;

struct Name {
  const char* name;
  Kind kind;
};

// A condition variable's wait ends with taking its mutex again.
constexpr Name kNames[] = {
    {"pthread_mutex_lock", Kind::kMutex},
    {"pthread_mutex_timedlock", Kind::kMutex},
    {"pthread_mutex_clocklock", Kind::kMutex},
    {"pthread_cond_wait", Kind::kMutex},
    {"pthread_cond_timedwait", Kind::kMutex},
    {"pthread_cond_clockwait", Kind::kMutex},
    {"pthread_rwlock_rdlock", Kind::kReadWrite},
    {"pthread_rwlock_wrlock", Kind::kReadWrite},
    {"pthread_rwlock_timedrdlock", Kind::kReadWrite},
    {"pthread_rwlock_timedwrlock", Kind::kReadWrite},
    {"pthread_rwlock_clockrdlock", Kind::kReadWrite},
    {"pthread_rwlock_clockwrlock", Kind::kReadWrite},
};

// Before glibc 2.34 they were in a library of their own.
constexpr const char* kLibraries[] = {"libpthread.so.0", "libc.so.6"};

// Frames from the leaf on that may be between the call and the function: the
// futex's own, and the mutex's slow path.
constexpr size_t kMaxDepth = 4;

bool SameCode(const stacks::ModuleRecord& a, const stacks::ModuleRecord& b) {
  if (a.file_offset != b.file_offset) return false;
  if (a.build_id_size == 0) return a.path_view() == b.path_view();
  return a.build_id_size == b.build_id_size &&
         memcmp(a.build_id, b.build_id, a.build_id_size) == 0;
}

}  // namespace

LockFunctions LockFunctions::Find() {
  LockFunctions result;
  for (const char* library : kLibraries) {
    void* handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    for (const Name& wanted : kNames) {
      void* address = dlsym(handle, wanted.name);
      Dl_info info;
      ElfW(Sym)* symbol = nullptr;
      if (address == nullptr ||
          dladdr1(address, &info, reinterpret_cast<void**>(&symbol),
                  RTLD_DL_SYMENT) == 0 ||
          symbol == nullptr) {
        continue;
      }
      result.functions_.push_back(
          {reinterpret_cast<uint64_t>(address), symbol->st_size, wanted.kind});
    }
    dlclose(handle);
    if (!result.functions_.empty()) break;
  }
  result.Sort();
  return result;
}

void LockFunctions::Sort() {
  std::sort(functions_.begin(), functions_.end(),
            [](const Function& a, const Function& b) {
              return a.address < b.address;
            });
}

void LockFunctions::FollowJumps(
    const std::function<std::optional<Bounds>(uint64_t)>& function_at) {
  // jmp rel32. The byte may be of another instruction; that what follows leads
  // to the very start of a function then is as good as impossible.
  constexpr uint8_t kJump = 0xe9;
  constexpr uint64_t kJumpBytes = 5;
  std::vector<Function> found;
  for (const Function& from : functions_) {
    const auto* code = reinterpret_cast<const uint8_t*>(from.address);
    for (uint64_t i = 0; i + kJumpBytes <= from.size; ++i) {
      if (code[i] != kJump) continue;
      int32_t distance;
      memcpy(&distance, code + i + 1, sizeof(distance));
      const uint64_t target = from.address + i + kJumpBytes +
                              static_cast<uint64_t>(int64_t{distance});
      if (target - from.address < from.size) continue;
      const std::optional<Bounds> bounds = function_at(target);
      if (bounds.has_value() && bounds->start == target) {
        found.push_back({target, bounds->limit - target, from.kind});
      }
    }
  }
  functions_.insert(functions_.end(), found.begin(), found.end());
  Sort();
}

void LockFunctions::SetModules(const stacks::Recording& recording) {
  is_libc_.assign(recording.module_count(), false);
  if (functions_.empty()) return;
  const uint64_t known = functions_.front().address;  // any of them
  const stacks::ModuleRecord* libc = nullptr;
  for (stacks::ModuleId id = 1; id < recording.module_count(); ++id) {
    const stacks::ModuleRecord* module = recording.module(id);
    if (known >= module->start && known < module->limit) libc = module;
  }
  if (libc == nullptr) return;
  start_ = libc->start;
  for (stacks::ModuleId id = 1; id < recording.module_count(); ++id) {
    is_libc_[id] = SameCode(*recording.module(id), *libc);
  }
}

Kind LockFunctions::KindOf(absl::Span<const stacks::Frame> frames) const {
  for (const stacks::Frame frame : frames.subspan(0, kMaxDepth)) {
    if (frame.is_pseudo() || frame.module() >= is_libc_.size() ||
        !is_libc_[frame.module()]) {
      return Kind::kNone;
    }
    const uint64_t address = start_ + frame.offset();
    const auto after =
        std::upper_bound(functions_.begin(), functions_.end(), address,
                         [](uint64_t at, const Function& function) {
                           return at < function.address;
                         });
    if (after == functions_.begin()) continue;
    const Function& function = *std::prev(after);
    if (address < function.address + function.size) return function.kind;
  }
  return Kind::kNone;
}

}  // namespace wallprof::capture
