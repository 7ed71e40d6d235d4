// What the kernel writes into the ring buffers of perf events: records as
// perf_event_open(2) lays them out, for the events that perf_events.h opens.
//
// Parsers take bytes and are pure.
#ifndef WALLPROF_PROFILER_CAPTURE_CPU_PERF_RECORD_H_
#define WALLPROF_PROFILER_CAPTURE_CPU_PERF_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/types/span.h"
#include "profiler/threads/task_directory.h"
#include "profiler/unwind/stack_copy.h"

namespace wallprof::capture {

// What is in each sample, and which registers: those of unwind::Register.
inline constexpr uint64_t kPerfSampleType =
    (1u << 1) | (1u << 2) | (1u << 12) | (1u << 13);
inline constexpr uint64_t kPerfRegisters = 0xff01ff;

// Bytes of a sample's record besides the copy of the stack.
inline constexpr size_t kPerfSampleBytes =
    6 * sizeof(uint64_t) + unwind::kRegisterCount * sizeof(uint64_t);

// A record without its header.
struct PerfRecord {
  uint32_t type = 0;
  uint16_t misc = 0;
  absl::Span<const std::byte> body;
};

// A thread at an instant at which it ran.
struct PerfSample {
  threads::Tid tid = 0;
  int64_t time_ns = 0;
  bool in_kernel = false;
  // As they were, or will be again when the kernel returns to the program.
  unwind::Registers registers;
  // From the stack pointer on; in the record's bytes.
  absl::Span<const std::byte> stack;
};

// A thread that was started by another; of the same process or the first one of
// a child.
struct PerfFork {
  pid_t pid = 0;
  threads::Tid tid = 0;
  threads::Tid parent = 0;
};

// The name that a thread has from now on; in the record's bytes.
struct PerfName {
  threads::Tid tid = 0;
  std::string_view name;
};

// Each nullopt where the record is of another kind, or too short; a sample
// also where the thread was about to end and had no registers any more.
std::optional<PerfSample> ParsePerfSample(const PerfRecord& record);
std::optional<PerfFork> ParsePerfFork(const PerfRecord& record);
std::optional<threads::Tid> ParsePerfExit(const PerfRecord& record);
std::optional<PerfName> ParsePerfName(const PerfRecord& record);

// How many records found no room before this one.
std::optional<int64_t> ParsePerfLost(const PerfRecord& record);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_CPU_PERF_RECORD_H_
