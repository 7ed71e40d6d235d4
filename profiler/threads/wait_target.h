// What a blocked thread waits for, as people would say it. Works out names only
// when asked, off the sampling path.
#ifndef WALLPROF_PROFILER_THREADS_WAIT_TARGET_H_
#define WALLPROF_PROFILER_THREADS_WAIT_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::threads {

struct WaitTarget {
  // sleep, timer, file, socket, pipe, event, epoll, terminal, device, io (more
  // than one, or of another kind), join, child, signal, futex; empty where the
  // system call tells nothing.
  std::string kind;
  // A path, a peer's address, a thread's or a process's number; may be empty.
  std::string object;

  friend bool operator==(const WaitTarget&, const WaitTarget&) = default;
};

// What the world outside the thread looks like; tests give another.
struct WaitWorld {
  std::string root = "/proc/self";  // procfs of the process
  // Copies memory of the process; returns how many bytes there were.
  std::function<size_t(uint64_t address, void* to, size_t size)> read;
  std::function<bool(Tid)> is_thread;  // of the process
  // The peer of a socket by its inode, from somebody who remembers peers;
  // empty: looked up each time.
  std::function<std::string(const std::string& inode)> peer;
};

// What a thread that is blocked in `state` waits for. Descriptors are those of
// the process's main thread.
WaitTarget DescribeWait(const SyscallState& state, const WaitWorld& world);

// The kind and name of an open file by what its link in procfs says, and the
// peer of a socket: {"socket", "tcp 127.0.0.1:5432"}, {"file", "/tmp/x"}.
WaitTarget DescribeDescriptor(int fd, const WaitWorld& world);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_WAIT_TARGET_H_
