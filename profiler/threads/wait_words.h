// What a wait is known by, in few words: of a system call those arguments that
// say what it is about. Equal words mean the same, as far as words can tell.
#ifndef WALLPROF_PROFILER_THREADS_WAIT_WORDS_H_
#define WALLPROF_PROFILER_THREADS_WAIT_WORDS_H_

#include <array>
#include <cstdint>
#include <utility>

#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::threads {

struct WaitWords {
  enum class Kind : uint64_t {
    kCall,     // `number` and `arguments`
    kLock,     // arguments[0] is the lock's address
    kTooMany,  // there was no room to keep what it is
  };
  Kind kind = Kind::kCall;
  int64_t number = -1;
  std::array<uint64_t, 3> arguments{};  // rdi, rsi, rdx

  static WaitWords Lock(uint64_t address) {
    return {Kind::kLock, -1, {address, 0, 0}};
  }
  static WaitWords TooMany() { return {Kind::kTooMany, -1, {}}; }

  // The call, as far as DescribeWait needs it.
  SyscallState Call() const;

  friend bool operator==(const WaitWords&, const WaitWords&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const WaitWords& words) {
    return H::combine(std::move(state), words.kind, words.number,
                      words.arguments);
  }
};

// The words of a call that a thread is blocked in. `joins`: arguments[2] is the
// number of a thread of this process, as in pthread_join. Allocates nothing.
WaitWords WordsOf(const SyscallState& state, bool joins);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_WAIT_WORDS_H_
