#include "profiler/stacks/recording.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace wallprof::stacks {
namespace {

// "wallprof" and the version of the layout, so that two builds that differ in
// it do not read each other.
constexpr uint64_t kMagic = 0x34666f72706c6c77;

// Enough for every thread that lived since the table was last cleared in all
// but the most churning programs; 80 bytes each.
constexpr uint32_t kMaxThreads = 8192;

// A process with more mappings of code than this is not known; 512 bytes each.
constexpr uint32_t kMaxModules = 1024;

int64_t NowNs(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

size_t Aligned(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

uint32_t FloorPowerOfTwo(uint64_t n) {
  uint32_t power = 1;
  while (uint64_t{power} * 2 <= n) power *= 2;
  return power;
}

}  // namespace

void ThreadRecord::SetName(std::string_view text) {
  char bytes[kNameBytes] = {};
  memcpy(bytes, text.data(), std::min(text.size(), kNameBytes - 1));
  uint64_t words[2];
  memcpy(words, bytes, sizeof(words));
  for (int i = 0; i < 2; ++i) {
    name[i].store(words[i], std::memory_order_relaxed);
  }
}

std::string ThreadRecord::Name() const {
  uint64_t words[2];
  for (int i = 0; i < 2; ++i) {
    words[i] = name[i].load(std::memory_order_relaxed);
  }
  char bytes[kNameBytes + 1] = {};
  memcpy(bytes, words, sizeof(words));
  return bytes;
}

std::string ModuleRecord::BuildIdHex() const {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(build_id), build_id_size));
}

// Where things stand in a block of a given size: a quarter of the table's
// share for entries and their index, the rest for frames. A stack of 40
// frames takes 330 bytes, its entry 64 with the index.
struct Recording::Layout {
  explicit Layout(size_t bytes) {
    threads = kMaxThreads;
    modules = kMaxModules;
    threads_at = Aligned(sizeof(Header));
    if (bytes < 4 * kMinBytes) {  // small blocks are for tests
      threads /= 8;
      modules /= 8;
    }
    modules_at = threads_at + Aligned(sizeof(ThreadRecord) * threads);
    table_at = modules_at + Aligned(sizeof(ModuleRecord) * modules);
    const size_t rest = bytes - table_at;
    constexpr size_t kEntryBytes = 64;
    capacity.entries = FloorPowerOfTwo(rest / 4 / kEntryBytes);
    capacity.stacks = capacity.entries;
    const size_t fixed = StackTable::BytesFor(capacity);
    capacity.words = static_cast<uint32_t>((rest - fixed - 64) / 8);
  }

  uint32_t threads;
  uint32_t modules;
  size_t threads_at;
  size_t modules_at;
  size_t table_at;
  StackTable::Capacity capacity;
};

Recording::Recording(void* memory, size_t bytes, const Layout& layout)
    : bytes_(bytes),
      header_(static_cast<Header*>(memory)),
      threads_(reinterpret_cast<ThreadRecord*>(static_cast<char*>(memory) +
                                               layout.threads_at)),
      thread_capacity_(layout.threads),
      modules_(reinterpret_cast<ModuleRecord*>(static_cast<char*>(memory) +
                                               layout.modules_at)),
      module_capacity_(layout.modules),
      table_(static_cast<char*>(memory) + layout.table_at, layout.capacity) {}

Recording::~Recording() { munmap(header_, bytes_); }

void Recording::WriteHeader() {
  header_->bytes = bytes_;
  header_->pid = getpid();
  header_->start_ns = NowNs(CLOCK_MONOTONIC);
  header_->start_wall_ns = NowNs(CLOCK_REALTIME);
  // Module 0 is "none".
  header_->module_count.store(1, std::memory_order_relaxed);
  header_->magic.store(kMagic, std::memory_order_release);
}

absl::StatusOr<std::unique_ptr<Recording>> Recording::Map(int fd,
                                                          size_t bytes) {
  if (bytes < kMinBytes) {
    return absl::InvalidArgumentError("a recording needs at least 1 MiB");
  }
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
                           : MAP_SHARED | MAP_NORESERVE;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "mapping the recording");
  }
  return std::unique_ptr<Recording>(
      new Recording(memory, bytes, Layout(bytes)));
}

absl::StatusOr<std::unique_ptr<Recording>> Recording::Allocate(size_t bytes) {
  absl::StatusOr<std::unique_ptr<Recording>> recording = Map(-1, bytes);
  if (recording.ok()) (*recording)->WriteHeader();
  return recording;
}

absl::StatusOr<std::unique_ptr<Recording>> Recording::Create(int fd,
                                                             size_t bytes) {
  // To nothing first: what an earlier image of the process left is not ours.
  // Beyond it ftruncate would end the program by SIGXFSZ, memory or not.
  rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes) {
    return absl::FailedPreconditionError(
        "files are limited to less than a recording takes (RLIMIT_FSIZE)");
  }
  if (ftruncate(fd, 0) != 0 || ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    return absl::ErrnoToStatus(errno, "sizing the recording");
  }
  absl::StatusOr<std::unique_ptr<Recording>> recording = Map(fd, bytes);
  if (recording.ok()) (*recording)->WriteHeader();
  return recording;
}

absl::StatusOr<std::unique_ptr<Recording>> Recording::Open(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) {
    return absl::ErrnoToStatus(errno, "the recording");
  }
  const size_t bytes = static_cast<size_t>(status.st_size);
  if (bytes < kMinBytes) return absl::NotFoundError("no recording was made");
  absl::StatusOr<std::unique_ptr<Recording>> recording = Map(fd, bytes);
  if (!recording.ok()) return recording;
  const Header& header = *(*recording)->header_;
  const uint64_t magic = header.magic.load(std::memory_order_acquire);
  if (magic == 0) return absl::NotFoundError("no recording was made");
  if (magic != kMagic || header.bytes != bytes) {
    return absl::DataLossError("the recording is of another version");
  }
  return recording;
}

uint32_t Recording::AddThread(int32_t tid, std::string_view name) {
  const uint32_t count = header_->thread_count.load(std::memory_order_relaxed);
  if (count == thread_capacity_) {
    ThreadRecord& shared = threads_[count - 1];
    shared.tid.store(0, std::memory_order_relaxed);
    shared.SetName("[other threads]");
    return count - 1;
  }
  ThreadRecord& record = threads_[count];
  record.tid.store(tid, std::memory_order_relaxed);
  record.SetName(name);
  // After Clear the record may have been another thread's.
  record.pending_samples.set(0);
  record.pending_cpu_ns.set(0);
  record.pending_wall_ns.set(0);
  record.cpu_ns.set(0);
  record.waited_ns.set(0);
  header_->thread_count.store(count + 1, std::memory_order_release);
  return count;
}

ModuleId Recording::AddModule(const ModuleRecord& module) {
  const uint32_t count = module_count();
  for (uint32_t i = 1; i < count; ++i) {
    if (memcmp(&modules_[i], &module, sizeof(module)) == 0) {
      return static_cast<ModuleId>(i);
    }
  }
  if (count == module_capacity_) return kNoModule;
  modules_[count] = module;
  header_->module_count.store(count + 1, std::memory_order_release);
  return static_cast<ModuleId>(count);
}

const ModuleRecord* Recording::module(ModuleId id) const {
  return id != kNoModule && id < module_count() ? &modules_[id] : nullptr;
}

ModuleId Recording::module_count() const {
  return static_cast<ModuleId>(
      header_->module_count.load(std::memory_order_acquire));
}

uint32_t Recording::thread_count() const {
  return header_->thread_count.load(std::memory_order_acquire);
}

void Recording::BeginTick() {
  // A seqlock's writer: the store must be seen before any of the tick's.
  const uint64_t sequence = tick_sequence();
  header_->tick_sequence.store(sequence + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
}

void Recording::EndTick(int64_t now_ns, bool whole) {
  header_->last_tick_ns.store(now_ns, std::memory_order_relaxed);
  header_->last_tick_whole.store(whole, std::memory_order_relaxed);
  header_->tallies.ticks.add(1);
  EndCatchUp();
}

void Recording::EndCatchUp() {
  header_->tick_sequence.store(tick_sequence() + 1, std::memory_order_release);
}

uint64_t Recording::tick_sequence() const {
  return header_->tick_sequence.load(std::memory_order_acquire);
}

int64_t Recording::last_tick_ns() const {
  return header_->last_tick_ns.load(std::memory_order_relaxed);
}

bool Recording::last_tick_whole() const {
  return header_->last_tick_whole.load(std::memory_order_relaxed);
}

size_t Recording::used_bytes() const {
  return sizeof(Header) + thread_count() * sizeof(ThreadRecord) +
         module_count() * sizeof(ModuleRecord) + table_.UsedBytes();
}

void Recording::Clear() {
  table_.Clear();
  header_->thread_count.store(0, std::memory_order_release);
}

}  // namespace wallprof::stacks
