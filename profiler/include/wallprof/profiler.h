// A wall-clock profiler for this process: samples every thread's stack,
// running or blocked, without disturbing what the threads do.
//
//   absl::StatusOr<std::unique_ptr<wallprof::Profiler>> profiler =
//       wallprof::Profiler::Start({});
//   if (!profiler.ok()) return profiler.status();
//   absl::StatusOr<wallprof::Profile> profile =
//       (*profiler)->Collect(absl::Seconds(2));
//
// Created, it samples; destroyed, it has stopped. One a process.
#ifndef WALLPROF_PROFILER_H_
#define WALLPROF_PROFILER_H_

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/merge.h"
#include "wallprof/profile.h"
#include "wallprof/recorder.h"

namespace wallprof {

// How to sample. The defaults suit a service that leaves the profiler on.
struct Options {
  // Looks at each thread a second, 1 to 1000. 99 rather than 100, so that
  // programs whose work comes 100 times a second are not met in step. The
  // profiler's CPU time grows in proportion.
  int frequency_hz = 99;

  // Sent to threads that are running, by their own CPU clock. It must be one
  // that is ignored by default (SIGURG, SIGCHLD, SIGWINCH, SIGCONT), or an
  // image that the program executes could die of one that was under way.
  int signal = SIGURG;

  // Bound on the profiler's anonymous memory: stack table, unwinder, symbols.
  // Stacks that no longer fit are counted under [overflow].
  size_t memory_bytes = size_t{64} << 20;

  // Bound on what debug information takes besides, while a profile is given its
  // names and lines; mostly it is some tens of megabytes. A module whose debug
  // information needs more has names without lines, and a comment says so.
  size_t debug_memory_bytes = size_t{160} << 20;

  // Whether only CPU time is measured. Then threads that are blocked cost
  // nothing, and where the kernel lets perf_event_open(2) do it no thread is
  // disturbed even while it runs; `frequency_hz` is samples a second of CPU
  // time. Profiles have samples/count and cpu/nanoseconds, and there is no
  // other view. Not with `record`. docs/cpu-only.md has what is lost by it.
  bool cpu_only = false;

  // Whether a forked child is profiled too. By default its profiler is off.
  bool restart_in_child = false;

  // Whether the last day is recorded, for Past(). Costs a snapshot every ten
  // seconds, and the memory below.
  bool record = false;

  // Bound on the recorder's memory, beyond `memory_bytes`. Where it is short,
  // slices get coarser, and at last the oldest are dropped.
  size_t record_memory_bytes = size_t{16} << 20;

  // Directory that slices are also written to, which is made if need be; empty:
  // none. What it holds can be read when the program has ended, however it did
  // (ReadRecorded). Only with `record`.
  std::string record_dir;

  // Bound on that directory; beyond it the oldest files are removed.
  int64_t record_dir_bytes = int64_t{256} << 20;

  // OkStatus, or InvalidArgument naming the field and its limits.
  absl::Status Validate() const;
};

// How one measurement is made.
struct CollectOptions {
  // At least this many looks a second while it lasts; 0: Options' rate, which
  // is also the most with Options::cpu_only.
  int frequency_hz = 0;

  // kBlockedBy: who holds the locks that threads wait for; the profile has the
  // types samples/count, lockwait/nanoseconds, and each stack is the waiter's,
  // [held by], and the holder's. Any other view is had from the wall profile
  // that is measured then, by SelectView. nullopt: all that there is, which is
  // the wall profile, and with Options::cpu_only the CPU profile; then any view
  // but that is InvalidArgument.
  std::optional<View> view;

  // Asked about every 50 ms; when it says true, Collect ends early with
  // Cancelled. Called on Collect's own thread.
  std::function<bool()> cancelled;

  // Asked likewise; when it says true, Collect ends early with what it has
  // measured so far. Functions whose lines are not known by then have none:
  // reading debug information can take seconds.
  std::function<bool()> enough;

  // Whether samples that wait have labels that say what for: `wait_kind` and
  // `wait_object`, as ThreadInfo has them. What that costs and cannot know is
  // in docs/waits.md.
  bool detail = false;
};

// A thread as the last look found it.
struct ThreadInfo {
  int64_t tid = 0;
  std::string name;
  std::string state;  // running, runnable, blocked or disk
  std::string wait;   // the system call's name, when blocked
  // What for: lock, sleep, timer, file, socket, pipe, event, epoll, terminal,
  // device, io, join, child, signal, futex; empty where it is not known. And
  // which: a path, a peer's address, a lock's address, a thread or process.
  std::string wait_kind;
  std::string wait_object;
  int64_t held_by = 0;  // tid of who holds the lock; 0: not known, or no lock
  absl::Duration wait_time;
  absl::Duration cpu_time;
  bool truncated = false;
  std::vector<std::string> stack;  // root first
};

// Something that the kernel withholds, and what is done in its place.
struct Degradation {
  std::string what;
  std::string why;
  std::string instead;
};

// What the profiler did so far, and what it cost.
struct Statistics {
  bool cpu_only = false;
  // What samples: "looks" at threads, or "perf-events" of the kernel.
  std::string source;
  int frequency_hz = 0;
  double achieved_hz = 0;  // with cpu_only: samples a second of CPU time
  int64_t ticks = 0;
  int64_t threads = 0;          // now
  absl::Duration cpu_time;      // of the sampler and its threads
  int64_t memory_bytes = 0;     // anonymous, in use
  int64_t unchanged = 0;        // looks at threads that had not run
  int64_t memo_hits = 0;        // blocked again in the same place
  int64_t walks = 0;            // stacks unwound
  int64_t interrupts = 0;       // requests to running threads
  int64_t eintr_delivered = 0;  // system calls seen ending in EINTR under one
  absl::Duration late_total;    // by which ticks came late, summed
  struct Lost {
    int64_t truncated = 0;    // walks that did not reach the root
    int64_t overflow = 0;     // samples that found the table full
    int64_t masked = 0;       // looks at threads that mask the signal
    int64_t small_stack = 0;  // looks at threads with too little stack
    int64_t exited = 0;       // threads that ended between looks
    int64_t late = 0;         // answers that came after a later look
    int64_t unseen = 0;       // looks whose stack could not be had
    int64_t dropped = 0;      // samples that found the kernel's buffer full
  } lost;
  std::vector<Degradation> degraded;
};

class Profiler {
 public:
  // Starts sampling. Fails with
  // - InvalidArgument: an option is out of range, and which,
  // - AlreadyExists: this process has a profiler,
  // - FailedPrecondition: libunwind cannot be loaded.
  // A handler that the program has for the signal goes on receiving what is
  // not the profiler's.
  // Not safe to call while another thread forks.
  static absl::StatusOr<std::unique_ptr<Profiler>> Start(
      const Options& options = {});

  // Stops sampling and ends Collects that are under way with Cancelled.
  // Returns within a tick. The signal's handler stays installed, inert: a
  // request that was under way must not meet the default action.
  ~Profiler();

  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  // Measures for `duration`, from tick to tick, and returns a symbolized wall
  // profile: types samples/count, cpu/nanoseconds, wall/nanoseconds; with
  // Options::cpu_only a CPU profile without the last. Any
  // number of threads may collect at once; each needs 256 KiB of stack.
  // InvalidArgument for a duration not above zero or a frequency out of range;
  // Cancelled as above.
  absl::StatusOr<Profile> Collect(absl::Duration duration,
                                  const CollectOptions& options = {});

  // The same measurement seen in each of `views`, in that order, whatever
  // options.view says.
  std::vector<absl::StatusOr<Profile>> CollectViews(
      absl::Duration duration, const std::vector<View>& views,
      const CollectOptions& options = {});

  // Everything since Start, as Collect gives it; or since the stack table was
  // last emptied, which happens when it is nearly full and nobody collects.
  // Thread-safe.
  // Of the view as in CollectOptions.
  absl::StatusOr<Profile> Snapshot(std::optional<View> view = std::nullopt);

  // What was recorded from `from` to `to`, as Collect gives it: of the slices
  // whose middle lies there, so that profiles of adjoining times add up. Time
  // and duration are those of the slices. InvalidArgument unless `from` is
  // before `to`; NotFound, with a sentence that says what there is, when
  // nothing is of that time, and without Options::record. Thread-safe.
  absl::StatusOr<Profile> Past(absl::Time from, absl::Time to,
                               const PastOptions& options = {});

  // What there is. NotFound without Options::record. Thread-safe.
  absl::StatusOr<Recorded> DescribeRecorded() const;

  // Every thread as the last look found it, by tid; none once the profiler has
  // stopped. With Options::cpu_only there are no looks: each thread's name,
  // state and CPU time are read now, and there is no stack. Thread-safe.
  std::vector<ThreadInfo> Threads();

  // Thread-safe.
  Statistics Stats() const;

  // Runs `body` on a thread of the profiler's own: never sampled, its signals
  // blocked, with a file descriptor table that is not the program's. Returns
  // once it runs. `body` must return before the profiler is destroyed.
  absl::Status RunPrivately(const std::string& name,
                            std::function<void()> body);

  // The same with the calling thread's file descriptor table: for what calls
  // back into the program.
  absl::Status RunUnsampled(const std::string& name,
                            std::function<void()> body);

 private:
  friend class RecordedProfiler;  // for the preload library
  class State;

  explicit Profiler(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_H_
