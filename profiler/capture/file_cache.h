// Kept-open files of threads, as many as are allowed of those in use.
//
// A kept descriptor saves 2 us a read and tells by ESRCH that its thread is
// gone, even if the number was given to another. Each holds 6 KiB of kernel
// memory, so that few are kept; other files are opened, read and closed.
#ifndef WALLPROF_PROFILER_CAPTURE_FILE_CACHE_H_
#define WALLPROF_PROFILER_CAPTURE_FILE_CACHE_H_

#include <cstdint>
#include <vector>

#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

class FileCache {
 public:
  enum class File : uint8_t { kSyscall, kSchedStat };

  // How many may be open; a quarter of RLIMIT_NOFILE where that is less.
  static constexpr size_t kMaxOpen = 256;

  // One that was not read for so many ticks may be closed for another.
  static constexpr int64_t kUnusedTicks = 50;

  explicit FileCache(threads::TaskDirectory& tasks);

  // Reads the file of a thread. False, with errno set, when that fails.
  // `tick` is the number of the running one.
  bool Read(threads::Tid tid, File file, int64_t tick, threads::ProcText& text);

  // Closes the files of a thread that has ended.
  void Forget(threads::Tid tid);

  size_t open_count() const { return open_.size(); }

 private:
  struct Open {
    threads::Tid tid;
    File file;
    int64_t used_tick;
    threads::FileDescriptor descriptor;
  };

  Open* Find(threads::Tid tid, File file);
  Open* MakeRoom(int64_t tick);

  threads::TaskDirectory& tasks_;
  size_t capacity_;
  std::vector<Open> open_;  // not ordered
  size_t hand_ = 0;         // the file asked last whether it is in use
  // Where a (tid, file) was last found in open_; only a hint.
  std::vector<uint16_t> hints_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_FILE_CACHE_H_
