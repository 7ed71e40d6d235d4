#include "profiler/capture/thread_stack.h"

#include <sys/mman.h>

#include <cerrno>

namespace wallprof::capture {
namespace {

constexpr size_t kGuardBytes = 4096;

}  // namespace

absl::StatusOr<ThreadStack> ThreadStack::Allocate(size_t size) {
  void* guard =
      mmap(nullptr, kGuardBytes + size, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (guard == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "memory for a thread's stack");
  }
  ThreadStack stack(static_cast<char*>(guard) + kGuardBytes, size);
  if (mprotect(guard, kGuardBytes, PROT_NONE) != 0) {
    return absl::ErrnoToStatus(errno, "guarding a thread's stack");
  }
  return stack;
}

ThreadStack::~ThreadStack() {
  if (begin_ != nullptr) munmap(begin_ - kGuardBytes, kGuardBytes + size_);
}

}  // namespace wallprof::capture
