// The kernel's own sampling of this process's threads by the CPU time that each
// uses: events of perf_event_open(2), with a ring buffer for each CPU.
//
// In the timer interrupt of a thread that runs the kernel copies its registers
// and the top of its stack to the buffer. No signal comes, no system call is
// interrupted, and a thread that does not run costs nothing. Threads that are
// started later are measured without anything being done for them; children of
// a fork are not.
#ifndef WALLPROF_PROFILER_CAPTURE_CPU_PERF_EVENTS_H_
#define WALLPROF_PROFILER_CAPTURE_CPU_PERF_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/capture/cpu/perf_ring.h"
#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"

namespace wallprof::capture {

class PerfEvents {
 public:
  // Measures `threads`, and those that they start from then on, with a sample
  // for each 1/`frequency_hz` seconds of CPU time. The buffers take at most
  // `bytes`, or where that is too little for so many CPUs, kMinRingBytes each.
  // Fails with the system's error where the kernel does not allow it, and with
  // ResourceExhausted where it would take too many descriptors.
  // The descriptors are of the calling thread's table.
  static absl::StatusOr<std::unique_ptr<PerfEvents>> Open(
      const std::vector<threads::Tid>& threads, int frequency_hz, size_t bytes);

  std::vector<PerfRing>& rings() { return rings_; }

  // Of each buffer an event, which poll(2) shows ready when it is half full.
  const std::vector<int>& ring_events() const { return ring_events_; }

  // CPU time that a sample stands for.
  int64_t period_ns() const { return period_ns_; }

  // How much of a stack is copied at most.
  uint32_t stack_bytes() const { return stack_bytes_; }

  // Whether there are samples of threads that are in the kernel.
  bool sees_kernel() const { return sees_kernel_; }

  // How many samples the smallest of the buffers holds.
  size_t samples_per_ring() const;

  // Memory of the buffers, which is the kernel's.
  size_t bytes() const;

 private:
  PerfEvents(int64_t period_ns, uint32_t stack_bytes, bool sees_kernel)
      : period_ns_(period_ns),
        stack_bytes_(stack_bytes),
        sees_kernel_(sees_kernel) {}

  absl::Status OpenCpu(int cpu, const std::vector<threads::Tid>& threads,
                       size_t ring_bytes);

  const int64_t period_ns_;
  const uint32_t stack_bytes_;
  const bool sees_kernel_;
  std::vector<PerfRing> rings_;
  std::vector<int> ring_events_;
  std::vector<threads::FileDescriptor> events_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_CPU_PERF_EVENTS_H_
