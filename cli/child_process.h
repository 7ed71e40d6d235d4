// A command run as a shell would run it, to its end.
#ifndef WALLPROF_CLI_CHILD_PROCESS_H_
#define WALLPROF_CLI_CHILD_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace wallprof::cli {

struct Ended {
  // False if there was nothing to execute, which was said on standard error.
  bool executed;
  // As a shell tells it: 128 and the signal's number for a command that a
  // signal ended, 127 for one that is not there, 126 for one that cannot run.
  int exit_status;
  bool by_signal;
  pid_t pid;  // that it had
};

// `prepare` is called in the new process before it executes `command`. Signals
// that ask this process to end, or tell it something, go to the command; they
// stay blocked here when it has ended, so that nothing cuts short what is made
// of it.
absl::StatusOr<Ended> RunChild(const std::vector<std::string>& command,
                               const std::function<void()>& prepare);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_CHILD_PROCESS_H_
