#include "profiler/capture/cpu/perf_ring.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace wallprof::capture {
namespace {

size_t PageBytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

std::optional<PerfRing> PerfRing::Map(int fd, size_t bytes) {
  void* memory = mmap(nullptr, PageBytes() + bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  return PerfRing(static_cast<perf_event_mmap_page*>(memory), bytes);
}

PerfRing::PerfRing(PerfRing&& other) noexcept
    : control_(std::exchange(other.control_, nullptr)),
      bytes_(other.bytes_),
      joined_(std::move(other.joined_)) {}

PerfRing::~PerfRing() {
  if (control_ != nullptr) munmap(control_, PageBytes() + bytes_);
}

absl::Span<const std::byte> PerfRing::At(uint64_t position, size_t size) {
  const auto* data =
      reinterpret_cast<const std::byte*>(control_) + control_->data_offset;
  const size_t from = position & (bytes_ - 1);
  const size_t before_end = std::min(size, bytes_ - from);
  if (before_end == size) return {data + from, size};
  joined_.resize(size);
  memcpy(joined_.data(), data + from, before_end);
  memcpy(joined_.data() + before_end, data, size - before_end);
  return joined_;
}

// The kernel writes up to data_head and never past data_tail; each side reads
// the other's position before (acquire) and moves its own after (release) it
// touches what lies between.
void PerfRing::Read(const std::function<void(const PerfRecord&)>& use) {
  const uint64_t head = __atomic_load_n(&control_->data_head, __ATOMIC_ACQUIRE);
  uint64_t tail = control_->data_tail;
  while (tail < head) {
    perf_event_header header;
    memcpy(&header, At(tail, sizeof(header)).data(), sizeof(header));
    // Nothing that the kernel writes is shorter; to go on would have no end.
    if (header.size < sizeof(header)) break;
    use({header.type, header.misc,
         At(tail + sizeof(header), header.size - sizeof(header))});
    tail += header.size;
    __atomic_store_n(&control_->data_tail, tail, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&control_->data_tail, head, __ATOMIC_RELEASE);
}

}  // namespace wallprof::capture
