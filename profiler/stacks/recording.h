// Everything that sampling leaves behind, in one block of memory: the stack
// table, who the threads were, which modules their frames lie in, and how the
// sampling went.
//
// One thread writes (the sampler), any number read. The block holds no
// pointers, so that another process can map it and make the profile after the
// one that was profiled has ended.
#ifndef WALLPROF_PROFILER_STACKS_RECORDING_H_
#define WALLPROF_PROFILER_STACKS_RECORDING_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "profiler/stacks/stack_table.h"

namespace wallprof::stacks {

// A number that one thread writes and others read, each value for itself.
class Gauge {
 public:
  int64_t get() const { return value_.load(std::memory_order_relaxed); }
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(int64_t value) { set(get() + value); }

 private:
  std::atomic<int64_t> value_;
};

// How sampling went, from its start on.
struct Tallies {
  Gauge ticks;
  Gauge threads;  // now
  Gauge unchanged;
  Gauge memo_hits;
  Gauge walks;
  Gauge interrupts;
  Gauge eintr_delivered;
  Gauge late_ns;
  Gauge sampler_cpu_ns;
  Gauge lost_truncated;
  Gauge lost_overflow;
  Gauge lost_masked;
  Gauge lost_small_stack;
  Gauge lost_exited;
  Gauge lost_late;
  Gauge lost_unseen;
  Gauge lost_dropped;
  // Where CPU time alone is recorded.
  Gauge samples;
  Gauge program_cpu_ns;  // used since the start, as the process's clock tells
};

// One thread, from when it was first seen until it ended.
struct ThreadRecord {
  static constexpr size_t kNameBytes = 16;  // the kernel's TASK_COMM_LEN

  std::atomic<int32_t> tid;
  std::atomic<uint64_t> name[kNameBytes / sizeof(uint64_t)];

  // Time that is known to have passed but not yet on which stack: the thread
  // was found running and has not answered yet. Readers show it as
  // [not sampled]; it goes back to 0 when the answer comes.
  Gauge pending_samples;
  Gauge pending_cpu_ns;
  Gauge pending_wall_ns;

  // What is known of the thread's time without sampling, since it was first
  // seen: by its CPU clock, and by the scheduler's count of waits for a CPU.
  Gauge cpu_ns;
  Gauge waited_ns;

  void SetName(std::string_view name);
  std::string Name() const;
};

// An executable mapping of a file.
struct ModuleRecord {
  static constexpr size_t kMaxPath = 448;
  static constexpr size_t kMaxBuildId = 32;

  uint64_t start = 0;
  uint64_t limit = 0;
  uint64_t file_offset = 0;
  uint8_t build_id_size = 0;
  uint8_t build_id[kMaxBuildId] = {};
  uint16_t path_size = 0;
  char path[kMaxPath] = {};

  std::string_view path_view() const { return {path, path_size}; }
  std::string BuildIdHex() const;
};

class Recording {
 public:
  // Smallest block that holds a useful table.
  static constexpr size_t kMinBytes = size_t{1} << 20;

  // A new recording in `bytes` of anonymous memory, touched only as it fills.
  static absl::StatusOr<std::unique_ptr<Recording>> Allocate(size_t bytes);

  // A new recording in the file `fd`, which is made `bytes` long and mapped
  // shared. The descriptor may be closed afterwards.
  static absl::StatusOr<std::unique_ptr<Recording>> Create(int fd,
                                                           size_t bytes);

  // The recording that another process makes, or made, in the file `fd`.
  // NotFound when there is none yet; DataLoss when it is of another version.
  static absl::StatusOr<std::unique_ptr<Recording>> Open(int fd);

  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  StackTable& table() { return table_; }
  const StackTable& table() const { return table_; }
  Tallies& tallies() { return header_->tallies; }
  const Tallies& tallies() const { return header_->tallies; }

  // --- the sampler's side -------------------------------------------------

  // A record for a thread first seen now. When there is no room for more, the
  // last record stands for all further threads.
  uint32_t AddThread(int32_t tid, std::string_view name);
  ThreadRecord& thread(uint32_t index) { return threads_[index]; }

  // A module's id; the same for a module that comes back to the same place.
  // kNoModule when there is no room for more.
  ModuleId AddModule(const ModuleRecord& module);

  // Brackets the work of a tick. `now_ns` is the tick's time on
  // CLOCK_MONOTONIC; all looks of the tick are accounted to it. `whole`: all
  // threads were looked at, so that each one's time is known up to here.
  void BeginTick();
  void EndTick(int64_t now_ns, bool whole = true);

  // Ends what BeginTick began, without another tick: what is known of the time
  // up to the last one was written.
  void EndCatchUp();

  // That only CPU time is recorded. Before the first tick.
  void set_cpu_only(bool cpu_only) { header_->cpu_only = cpu_only; }

  // Forgets stacks and threads, not modules. Only between ticks.
  void Clear();

  // --- readers' side ------------------------------------------------------

  // Sequence number of the running or next tick; odd while one is under way.
  uint64_t tick_sequence() const;
  int64_t last_tick_ns() const;  // CLOCK_MONOTONIC; 0: none yet
  bool last_tick_whole() const;
  int64_t start_ns() const { return header_->start_ns; }
  int64_t start_wall_ns() const { return header_->start_wall_ns; }
  int32_t pid() const { return header_->pid; }
  bool cpu_only() const { return header_->cpu_only; }
  uint32_t thread_count() const;
  const ThreadRecord& thread(uint32_t index) const { return threads_[index]; }
  const ModuleRecord* module(ModuleId id) const;  // nullptr: none such
  ModuleId module_count() const;

  size_t bytes() const { return bytes_; }
  size_t used_bytes() const;  // touched so far, roughly

 private:
  struct Header {
    std::atomic<uint64_t> magic;  // written last
    uint64_t bytes;
    int32_t pid;
    int64_t start_ns;       // CLOCK_MONOTONIC
    int64_t start_wall_ns;  // CLOCK_REALTIME
    std::atomic<uint64_t> tick_sequence;
    std::atomic<int64_t> last_tick_ns;
    std::atomic<bool> last_tick_whole;
    std::atomic<bool> cpu_only;
    std::atomic<uint32_t> thread_count;
    std::atomic<uint32_t> module_count;
    Tallies tallies;
  };
  struct Layout;

  Recording(void* memory, size_t bytes, const Layout& layout);
  static absl::StatusOr<std::unique_ptr<Recording>> Map(int fd, size_t bytes);
  void WriteHeader();

  size_t bytes_;
  Header* header_;
  ThreadRecord* threads_;
  uint32_t thread_capacity_;
  ModuleRecord* modules_;
  uint32_t module_capacity_;
  StackTable table_;
};

}  // namespace wallprof::stacks

#endif  // WALLPROF_PROFILER_STACKS_RECORDING_H_
