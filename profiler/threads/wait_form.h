// By what a system call says what it waits for.
#ifndef WALLPROF_PROFILER_THREADS_WAIT_FORM_H_
#define WALLPROF_PROFILER_THREADS_WAIT_FORM_H_

#include <cstdint>

namespace wallprof::threads {

// Arguments are counted from 0.
enum class WaitForm : uint8_t {
  kUnknown,     // it does not say
  kSleep,       // for time to pass
  kSignal,      // for a signal
  kChild,       // argument 0 is a process, a group, or -1
  kChildById,   // argument 0 says what argument 1 is
  kFutex,       // argument 0 is a word, argument 2 what it held
  kPoll,        // argument 1 descriptors are at argument 0
  kSelect,      // argument 0: whether for any descriptor
  kEpoll,       // argument 0 is an epoll set
  kDescriptor,  // argument 0 is a descriptor
};

// Of a system call of this number. Async-signal-safe.
WaitForm WaitFormOf(int64_t number);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_WAIT_FORM_H_
