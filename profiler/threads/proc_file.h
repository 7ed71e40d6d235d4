// Small files of procfs: reading one whole, and what each says of a thread.
//
// Parsers take text and are pure; only ProcFile touches the kernel. None of
// this allocates, so the sampler may use it at any time.
#ifndef WALLPROF_PROFILER_THREADS_PROC_FILE_H_
#define WALLPROF_PROFILER_THREADS_PROC_FILE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wallprof::threads {

// Owns a descriptor; -1: none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

// Text of a procfs file in a buffer of its own. Long enough for the files of
// one thread (`status` is the longest, about 1.5 KiB).
class ProcText {
 public:
  static constexpr size_t kMaxBytes = 4096;

  // Reads from the start of `fd`. False, with errno set, if that fails: ESRCH
  // when the thread that the descriptor was opened for is gone, even if its
  // number was given to another.
  bool ReadFrom(int fd);

  std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, kMaxBytes> buffer_;
  size_t size_ = 0;
};

// /proc/PID/task/TID/syscall.
struct SyscallState {
  enum class Kind {
    kRunning,    // on a CPU or waiting for one
    kInSyscall,  // blocked in system call `number`
    kBlocked,    // blocked outside a system call: a page fault
  };
  Kind kind = Kind::kRunning;
  int number = -1;
  std::array<uint64_t, 6> arguments{};  // rdi, rsi, rdx, r10, r8, r9
  uint64_t sp = 0;
  uint64_t pc = 0;
};
std::optional<SyscallState> ParseSyscall(std::string_view text);

// /proc/PID/task/TID/schedstat.
struct SchedStat {
  uint64_t run_ns = 0;     // on a CPU
  uint64_t delay_ns = 0;   // runnable, waiting for a CPU
  uint64_t run_count = 0;  // times it was given a CPU
};
std::optional<SchedStat> ParseSchedStat(std::string_view text);

// /proc/PID/task/TID/stat, as far as anybody needs it.
struct TaskStat {
  std::string_view name;
  char state = '?';
  uint64_t start_ticks = 0;  // since boot, in clock ticks
};
std::optional<TaskStat> ParseTaskStat(std::string_view text);

// The number in the line `key` of /proc/PID/task/TID/status, which is written
// to `base` there.
std::optional<uint64_t> ParseStatusLine(std::string_view text,
                                        std::string_view key, int base);

// The SigBlk line of /proc/PID/task/TID/status: bit n-1 for signal n.
std::optional<uint64_t> ParseBlockedSignals(std::string_view text);

// The voluntary_ctxt_switches line of the same file: how often the thread has
// gone to sleep.
std::optional<uint64_t> ParseVoluntarySwitches(std::string_view text);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_PROC_FILE_H_
