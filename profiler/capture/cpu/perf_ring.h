// The ring buffer that the kernel fills with the records of one CPU.
#ifndef WALLPROF_PROFILER_CAPTURE_CPU_PERF_RING_H_
#define WALLPROF_PROFILER_CAPTURE_CPU_PERF_RING_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "profiler/capture/cpu/perf_record.h"

struct perf_event_mmap_page;

namespace wallprof::capture {

// Owns the mapping. The kernel keeps it from forked children.
class PerfRing {
 public:
  // The buffer of the event `fd`, with `bytes` for records: pages, as many as a
  // power of two. nullopt, with errno set, where the kernel gives none.
  static std::optional<PerfRing> Map(int fd, size_t bytes);

  PerfRing(PerfRing&& other) noexcept;
  PerfRing& operator=(PerfRing&&) = delete;
  ~PerfRing();

  // Gives `use` what has been written since the last call, and frees its room.
  // What `use` is given is valid until it returns.
  void Read(const std::function<void(const PerfRecord&)>& use);

  size_t bytes() const { return bytes_; }

 private:
  PerfRing(perf_event_mmap_page* control, size_t bytes)
      : control_(control), bytes_(bytes) {}

  absl::Span<const std::byte> At(uint64_t position, size_t size);

  perf_event_mmap_page* control_;
  size_t bytes_;
  std::vector<std::byte> joined_;  // of a record that goes over the end
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_CPU_PERF_RING_H_
