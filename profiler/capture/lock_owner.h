// Who holds the lock that a thread waits for.
#ifndef WALLPROF_PROFILER_CAPTURE_LOCK_OWNER_H_
#define WALLPROF_PROFILER_CAPTURE_LOCK_OWNER_H_

#include <cstdint>
#include <optional>

#include "profiler/capture/lock_functions.h"
#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/memory.h"

namespace wallprof::capture {

// A lock by its address, and how it is read.
struct Lock {
  enum class Layout : uint8_t {
    kMutex,      // pthread_mutex_t: the owner is written beside the word
    kOwnerWord,  // the word itself has the owner (robust, priority-inheriting)
    kReadWrite,  // pthread_rwlock_t
  };
  uint64_t address = 0;
  Layout layout = Layout::kMutex;

  friend bool operator==(const Lock&, const Lock&) = default;
};

// The lock that a thread waits for that is blocked in `state`; nullopt where it
// waits for something else. `waiter` is what of libc it is in.
std::optional<Lock> LockOf(const threads::SyscallState& state,
                           LockFunctions::Kind waiter);

// The thread that holds `lock`, by what libc and the kernel have written there
// (glibc's struct __pthread_mutex_s and __pthread_rwlock_arch_t; futex(2), PI
// futexes; get_robust_list(2)). 0 where none does just now, as when it is being
// handed over, where it is held by readers, and where the memory holds no lock.
threads::Tid OwnerOf(const Lock& lock, const unwind::Memory& memory);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_LOCK_OWNER_H_
