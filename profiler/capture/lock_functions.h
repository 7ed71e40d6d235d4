// Where in libc threads wait for mutexes and read-write locks.
//
// A futex is any word; that it is a lock's is known from who waits on it.
// libc's own inner locks (of malloc, of FILE) are futexes of another layout,
// and what stands where a mutex has its owner is there something else.
#ifndef WALLPROF_PROFILER_CAPTURE_LOCK_FUNCTIONS_H_
#define WALLPROF_PROFILER_CAPTURE_LOCK_FUNCTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "profiler/stacks/frame.h"
#include "profiler/stacks/recording.h"

namespace wallprof::capture {

// Not thread-safe.
class LockFunctions {
 public:
  enum class Kind : uint8_t { kNone, kMutex, kReadWrite };

  // Those of this process's libc. Asks the loader: not on the sampler's thread.
  static LockFunctions Find();

  // Adds the functions without names that those end in by a jump: the slow
  // paths of some are on the stack alone. `function_at` gives the bounds of the
  // function that an address is in, as the unwind tables have them; nullptr
  // where there is none. The code is that of this process's libc.
  struct Bounds {
    uint64_t start = 0;
    uint64_t limit = 0;
  };
  void FollowJumps(
      const std::function<std::optional<Bounds>(uint64_t)>& function_at);

  // To be called when there are new modules. The same libc may be mapped more
  // than once, in namespaces of their own.
  void SetModules(const stacks::Recording& recording);

  // Which of them is among the innermost frames of a stack, leaf first: a
  // function or two of libc's own lie between it and the system call.
  Kind KindOf(absl::Span<const stacks::Frame> frames) const;

 private:
  struct Function {
    uint64_t address = 0;
    uint64_t size = 0;
    Kind kind = Kind::kNone;
  };

  void Sort();

  std::vector<Function> functions_;  // by address, in the libc that was asked
  uint64_t start_ = 0;               // of that libc's code
  std::vector<bool> is_libc_;        // by module
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_LOCK_FUNCTIONS_H_
