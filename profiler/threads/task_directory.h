// The threads of this process, from /proc/self/task.
#ifndef WALLPROF_PROFILER_THREADS_TASK_DIRECTORY_H_
#define WALLPROF_PROFILER_THREADS_TASK_DIRECTORY_H_

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "profiler/threads/proc_file.h"

namespace wallprof::threads {

// A kernel thread id. Numbers are reused; capture tells incarnations apart.
using Tid = pid_t;

// Of the calling thread. Async-signal-safe.
inline Tid OwnTid() { return static_cast<Tid>(syscall(SYS_gettid)); }

// Keeps the directory open from the first use on: files in it are then found
// without walking to it. For one thread at a time, which must have that
// descriptor in its table.
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

  // Opens a thread's file; invalid, with errno set, where that fails.
  FileDescriptor Open(Tid tid, const char* file) const;

  // Opens, reads and closes it. False, with errno set, where that fails.
  bool Read(Tid tid, const char* file, ProcText& text) const;

  // Until the next use.
  void Close() { directory_.Close(); }

 private:
  int directory() const;  // -1 when it cannot be opened

  std::string root_;
  mutable FileDescriptor directory_;
};

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_TASK_DIRECTORY_H_
