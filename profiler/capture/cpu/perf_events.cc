#include "profiler/capture/cpu/perf_events.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"

namespace wallprof::capture {
namespace {

// What an unprivileged user may have without a limit on locked memory, less
// the page that comes with it (perf_event_mlock_kb, 516 by default).
constexpr size_t kMaxRingBytes = size_t{512} << 10;

// A dozen samples: less is full between two looks of a sampler that shares its
// CPU with what it measures.
constexpr size_t kMinRingBytes = size_t{128} << 10;

// Each takes 1 KiB in the kernel, and 5 us to open.
constexpr size_t kMaxEvents = 4096;

// Of the limit on descriptors, for other threads of ours.
constexpr size_t kOtherDescriptors = 64;

size_t FloorPowerOfTwo(size_t n) {
  size_t power = 1;
  while (power * 2 <= n) power *= 2;
  return power;
}

// How much of a stack is copied. Of the samples of gcc's compiler 9, 1.3 and
// 0.2 % are deeper than 8, 16 and 32 KiB, of clang's all, 94 and 50 %.
constexpr size_t kMinStackBytes = size_t{8} << 10;
constexpr size_t kMaxStackBytes = size_t{32} << 10;

// A buffer is to last so long, since the sampler may have to wait for a CPU.
constexpr int64_t kFillingMs = 60;

// The more seldom a buffer gets a sample, the larger they may be.
uint32_t StackBytesFor(int frequency_hz, size_t ring_bytes) {
  const size_t samples =
      static_cast<size_t>(frequency_hz * kFillingMs / 1000) + 1;
  return static_cast<uint32_t>(std::clamp(FloorPowerOfTwo(ring_bytes / samples),
                                          kMinStackBytes, kMaxStackBytes));
}

int Open(perf_event_attr& attributes, threads::Tid tid, int cpu) {
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, tid, cpu,
                                  -1, PERF_FLAG_FD_CLOEXEC));
}

perf_event_attr Attributes(int64_t period_ns, uint32_t stack_bytes,
                           bool with_kernel) {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.sample_period = static_cast<uint64_t>(period_ns);
  attributes.sample_type = kPerfSampleType;
  attributes.sample_regs_user = kPerfRegisters;
  attributes.sample_stack_user = stack_bytes;
  attributes.exclude_kernel = with_kernel ? 0 : 1;
  attributes.exclude_hv = 1;
  // By threads, not by child processes.
  attributes.inherit = 1;
  attributes.inherit_thread = 1;
  // Starts, ends and names of threads: by the time that a sample is read its
  // thread may be gone.
  attributes.task = 1;
  attributes.comm = 1;
  // Whoever polls is woken when the buffer is half full, which is what no mark
  // means.
  attributes.watermark = 1;
  attributes.wakeup_watermark = 0;
  return attributes;
}

size_t DescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMaxEvents;
  return limit.rlim_cur <= kOtherDescriptors
             ? 0
             : limit.rlim_cur - kOtherDescriptors;
}

// The locked memory that a user may have is shared by all his processes.
std::optional<PerfRing> MapLargest(int event, size_t bytes) {
  for (size_t size = bytes; size >= kMinRingBytes; size /= 2) {
    if (auto ring = PerfRing::Map(event, size)) return ring;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PerfEvents>> PerfEvents::Open(
    const std::vector<threads::Tid>& threads, int frequency_hz, size_t bytes) {
  const int64_t period_ns = 1'000'000'000 / frequency_hz;
  const auto cpus =
      static_cast<size_t>(std::max<long>(sysconf(_SC_NPROCESSORS_ONLN), 1));
  if (threads.size() * cpus > std::min(kMaxEvents, DescriptorLimit())) {
    return absl::ResourceExhaustedError("too many threads and CPUs");
  }
  const size_t ring_bytes =
      std::clamp(FloorPowerOfTwo(bytes / cpus), kMinRingBytes, kMaxRingBytes);
  const uint32_t stack_bytes = StackBytesFor(frequency_hz, ring_bytes);
  // Samples in the kernel are not for every user.
  bool with_kernel = true;
  perf_event_attr attributes = Attributes(period_ns, stack_bytes, with_kernel);
  threads::FileDescriptor probe(
      capture::Open(attributes, threads::OwnTid(), -1));
  if (!probe.valid() && (errno == EACCES || errno == EPERM)) {
    attributes = Attributes(period_ns, stack_bytes, with_kernel = false);
    probe = threads::FileDescriptor(
        capture::Open(attributes, threads::OwnTid(), -1));
  }
  if (!probe.valid()) return absl::ErrnoToStatus(errno, "perf_event_open");
  std::unique_ptr<PerfEvents> events(
      new PerfEvents(period_ns, stack_bytes, with_kernel));
  const int last = static_cast<int>(sysconf(_SC_NPROCESSORS_CONF));
  for (int cpu = 0; cpu < last; ++cpu) {
    const absl::Status opened = events->OpenCpu(cpu, threads, ring_bytes);
    if (!opened.ok()) return opened;
  }
  if (events->rings_.empty()) return absl::NotFoundError("no thread, no CPU");
  return events;
}

// One event a thread; the first one's buffer is that of all.
absl::Status PerfEvents::OpenCpu(int cpu,
                                 const std::vector<threads::Tid>& threads,
                                 size_t ring_bytes) {
  perf_event_attr attributes =
      Attributes(period_ns_, stack_bytes_, sees_kernel_);
  int first = -1;
  for (const threads::Tid tid : threads) {
    threads::FileDescriptor event(capture::Open(attributes, tid, cpu));
    if (!event.valid()) {
      if (errno == ENODEV) return absl::OkStatus();  // the CPU is off
      if (errno == ESRCH) continue;                  // the thread has ended
      return absl::ErrnoToStatus(errno, "perf_event_open");
    }
    if (first < 0) {
      first = event.get();
      std::optional<PerfRing> ring = MapLargest(first, ring_bytes);
      if (!ring) return absl::ErrnoToStatus(errno, "mapping a ring buffer");
      rings_.push_back(*std::move(ring));
      ring_events_.push_back(first);
    } else if (ioctl(event.get(), PERF_EVENT_IOC_SET_OUTPUT, first) != 0) {
      return absl::ErrnoToStatus(errno, "joining a ring buffer");
    }
    events_.push_back(std::move(event));
  }
  return absl::OkStatus();
}

size_t PerfEvents::samples_per_ring() const {
  size_t least = kMaxRingBytes;
  for (const PerfRing& ring : rings_) least = std::min(least, ring.bytes());
  return least / (kPerfSampleBytes + stack_bytes_);
}

size_t PerfEvents::bytes() const {
  size_t sum = 0;
  for (const PerfRing& ring : rings_) sum += ring.bytes();
  return sum;
}

}  // namespace wallprof::capture
