// A thread that blocks, as the kernel tells it of it to others, and a copy of
// its stack.
#ifndef WALLPROF_TESTS_UNWIND_BLOCKED_THREAD_H_
#define WALLPROF_TESTS_UNWIND_BLOCKED_THREAD_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/stack_copy.h"

namespace wallprof::unwind {

// Waits until thread `tid` has blocked for good: it stands in the same system
// call, `number` if that is given, and its CPU clock stands still. Throws if
// that takes too long.
threads::SyscallState WaitUntilBlocked(threads::Tid tid,
                                       std::optional<int> number = {});

// Runs `body`, which need not end: the thread is left to itself.
class DetachedThread {
 public:
  explicit DetachedThread(std::function<void()> body);
  threads::Tid tid() const { return tid_; }

 private:
  threads::Tid tid_ = 0;
};

// A copy of the stack of a thread blocked as in `state`, up to `max_bytes` of
// it, with the memory that it needs.
class CopiedStack {
 public:
  CopiedStack(const Memory& memory, const threads::SyscallState& state,
              size_t max_bytes = size_t{256} << 10);
  // The copy refers to the bytes.
  CopiedStack(const CopiedStack&) = delete;
  CopiedStack& operator=(const CopiedStack&) = delete;

  const StackCopy& copy() const { return copy_; }
  StackCopy& copy() { return copy_; }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  StackCopy copy_;
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_TESTS_UNWIND_BLOCKED_THREAD_H_
