// Whether a blocked thread waits for a disk.
#ifndef WALLPROF_PROFILER_CAPTURE_DISK_WAIT_H_
#define WALLPROF_PROFILER_CAPTURE_DISK_WAIT_H_

#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

// A state of the task, not of the call: read from procfs, but only where
// `state` is a call that goes to files, or a page fault.
bool WaitsForDisk(const threads::TaskDirectory& tasks, threads::Tid tid,
                  const threads::SyscallState& state);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_DISK_WAIT_H_
