// The threads of this process, from /proc/self/task.
#ifndef WALLPROF_PROFILER_THREADS_TASK_DIRECTORY_H_
#define WALLPROF_PROFILER_THREADS_TASK_DIRECTORY_H_

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "profiler/threads/proc_file.h"

namespace wallprof::threads {

// A kernel thread id. Numbers are reused; capture tells incarnations apart.
using Tid = pid_t;

class TaskDirectory {
 public:
  // `root` is the directory that has one entry a thread; tests give another.
  explicit TaskDirectory(std::string root = "/proc/self/task");

  // Number of threads that the directory's link count tells, without listing
  // (2 us where a listing of 1000 threads is 450 us); -1 where it cannot be
  // read. Two threads of a directory's links are its own.
  int CountHint() const;

  // All thread ids, in the kernel's order. False if it cannot be read; `tids`
  // is then empty.
  bool List(std::vector<Tid>& tids) const;

  // "<root>/<tid>/<file>". Valid until the next call.
  const char* Path(Tid tid, const char* file);

  // Opens a thread's file; invalid, with errno set, where that fails.
  FileDescriptor Open(Tid tid, const char* file);

 private:
  std::string root_;
  std::array<char, 256> path_;
};

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_TASK_DIRECTORY_H_
