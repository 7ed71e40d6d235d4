// The stack of a thread of the profiler's own, never one that libc keeps.
//
// libc hands the stacks of ended threads, with what is left of their
// thread-local storage, to the next ones. Where two libcs are in a process, as
// under the preload library, both take from one store of stacks, and each frees
// what is left with a malloc of its own.
#ifndef WALLPROF_PROFILER_CAPTURE_THREAD_STACK_H_
#define WALLPROF_PROFILER_CAPTURE_THREAD_STACK_H_

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"

namespace wallprof::capture {

class ThreadStack {
 public:
  // Of `size` bytes, a whole number of pages, above one page that must not be
  // touched.
  static absl::StatusOr<ThreadStack> Allocate(size_t size);

  ThreadStack(ThreadStack&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), size_(other.size_) {}
  ThreadStack& operator=(ThreadStack&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~ThreadStack();

  char* begin() const { return begin_; }
  size_t size() const { return size_; }

 private:
  ThreadStack(char* begin, size_t size) : begin_(begin), size_(size) {}

  char* begin_;  // lowest usable byte
  size_t size_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_THREAD_STACK_H_
