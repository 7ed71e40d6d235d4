// The signal handler and its installation.
#ifndef WALLPROF_PROFILER_CAPTURE_SIGNAL_HANDLER_H_
#define WALLPROF_PROFILER_CAPTURE_SIGNAL_HANDLER_H_

#include <signal.h>

#include "profiler/capture/signal/request.h"

namespace wallprof::capture {

// Signals whose value points into [begin, end) are answered from now on. The
// memory must stay mapped for the life of the process. Empty: none are.
// Not async-signal-safe: changes what running handlers see.
void PublishRequests(Request* begin, Request* end);

// From now on answers have what `modules_added` points to: by it the sampler
// tells whether it knows the code that was running. nullptr: none. The memory
// must stay for the life of the process.
void PublishModulesAdded(const uint64_t* modules_added);

SignalTallies& GetSignalTallies();

// Installs the handler for `signal`, with SA_SIGINFO, SA_ONSTACK and, unless
// the program has a handler without it, SA_RESTART; and remembers the one that
// was there, to which foreign signals go on. Installed once it stays: a signal
// under way must not meet the default action, and an ignored one would be
// inherited through exec.
// 0, or the errno of sigaction. Not thread-safe.
int InstallHandler(int signal);

// What sigaction(2) does, of what foreign signals go on to: the kernel's
// handler remains ours. `action` and `before` may be null. False: ours is not
// installed, and nothing was done. One caller at a time, with all signals
// blocked.
bool SetProgramAction(int signal, const struct sigaction* action,
                      struct sigaction* before);

// Whether a signal carries a request of ours. Async-signal-safe.
bool IsOurs(const siginfo_t& info);

// Whether the handler for `signal` is still ours; the program may have put its
// own in its place. One system call; thread-safe.
bool HandlerIsOurs(int signal);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SIGNAL_HANDLER_H_
