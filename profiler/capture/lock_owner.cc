#include "profiler/capture/lock_owner.h"

#include <linux/futex.h>
#include <sys/syscall.h>

namespace wallprof::capture {
namespace {

// Value of a mutex's word while others wait for it, which they pass to futex.
// Words that hold an owner have FUTEX_WAITERS set then.
constexpr uint32_t kContended = 2;

// Kinds that <pthread.h> and nptl/pthreadP.h know: the type in the lowest two
// bits, robust, priority inheritance and protection, shared, elision.
constexpr uint32_t kKnownKinds = 0x3f3;

// Where a read-write lock has the words that are waited on.
constexpr uint64_t kPhaseOffset = 8;
constexpr uint64_t kWritersOffset = 12;

struct Mutex {
  uint32_t word;
  uint32_t count;
  int32_t owner;
  uint32_t users;
  uint32_t kind;
};

struct ReadWriteLock {
  uint32_t readers;
  uint32_t writers;
  uint32_t phase;
  uint32_t writers_word;
  uint32_t pad[2];
  int32_t writer;
};

template <typename Layout>
bool Read(const unwind::Memory& memory, uint64_t address, Layout& lock) {
  return memory.Read(address, &lock, sizeof(lock)) == sizeof(lock);
}

threads::Tid OwnerInWord(uint32_t word) {
  return static_cast<threads::Tid>(word & FUTEX_TID_MASK);
}

}  // namespace

std::optional<Lock> LockOf(const threads::SyscallState& state,
                           LockFunctions::Kind waiter) {
  if (state.kind != threads::SyscallState::Kind::kInSyscall ||
      state.number != SYS_futex) {
    return std::nullopt;
  }
  const uint64_t address = state.arguments[0];
  const auto value = static_cast<uint32_t>(state.arguments[2]);
  switch (state.arguments[1] & FUTEX_CMD_MASK) {
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return Lock{address, Lock::Layout::kOwnerWord};
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      break;
    default:
      return std::nullopt;
  }
  if (waiter == LockFunctions::Kind::kReadWrite) {
    // Its alignment tells the two words apart.
    const uint64_t offset =
        address % sizeof(uint64_t) == 0 ? kPhaseOffset : kWritersOffset;
    return Lock{address - offset, Lock::Layout::kReadWrite};
  }
  // The slow path of robust mutexes is no function with a name.
  if ((value & FUTEX_WAITERS) != 0) {
    return Lock{address, Lock::Layout::kOwnerWord};
  }
  // A condition variable waits on other words until it takes its mutex again.
  if (waiter == LockFunctions::Kind::kMutex && value == kContended) {
    return Lock{address, Lock::Layout::kMutex};
  }
  return std::nullopt;
}

threads::Tid OwnerOf(const Lock& lock, const unwind::Memory& memory) {
  if (lock.layout == Lock::Layout::kReadWrite) {
    ReadWriteLock contents;
    return Read(memory, lock.address, contents) ? contents.writer : 0;
  }
  Mutex contents;
  if (!Read(memory, lock.address, contents)) return 0;
  if (lock.layout == Lock::Layout::kOwnerWord) {
    return OwnerInWord(contents.word);
  }
  if ((contents.kind & ~kKnownKinds) != 0 || contents.word == 0) return 0;
  return contents.owner;
}

}  // namespace wallprof::capture
