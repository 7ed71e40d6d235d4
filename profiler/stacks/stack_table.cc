#include "profiler/stacks/stack_table.h"

#include <algorithm>
#include <cstring>

namespace wallprof::stacks {
namespace {

// An index has twice the slots of what it leads to, so that probes stay short;
// past this many the table counts as full.
constexpr int kSlotsPerItem = 2;
constexpr int kMaxProbes = 64;

// Multiplier of Fibonacci hashing, 2^64 / golden ratio.
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

uint64_t Mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * kMultiplier;
  return hash ^ (hash >> 32);
}

uint64_t HashOf(absl::Span<const Frame> frames) {
  uint64_t hash = frames.size();
  for (const Frame frame : frames) hash = Mix(hash, frame.bits());
  return hash;
}

uint64_t HashOf(const SampleKey& key) {
  uint64_t words[3];
  static_assert(sizeof(words) == sizeof(key));
  memcpy(words, &key, sizeof(words));
  return Mix(Mix(Mix(0, words[0]), words[1]), words[2]);
}

size_t Aligned(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  samples += other.samples;
  cpu_ns += other.cpu_ns;
  wall_ns += other.wall_ns;
  return *this;
}

// Each on a line of its own: writers meet here only for what is new.
struct StackTable::Cursors {
  alignas(64) std::atomic<uint32_t> entries;
  alignas(64) std::atomic<uint32_t> words;
  alignas(64) std::atomic<uint32_t> stacks;
};

struct StackTable::Entry {
  // Written before `ready`; read after it.
  SampleKey key;
  std::atomic<uint32_t> ready;
  // Added to by anybody. Relaxed: each count stands for itself; readers that
  // need a consistent set read between ticks.
  std::atomic<int64_t> samples;
  std::atomic<int64_t> cpu_ns;
  std::atomic<int64_t> wall_ns;
};

size_t StackTable::BytesFor(const Capacity& capacity) {
  return Aligned(sizeof(Cursors)) +
         Aligned(sizeof(uint32_t) * kSlotsPerItem * capacity.entries) +
         Aligned(sizeof(uint32_t) * kSlotsPerItem * capacity.stacks) +
         Aligned(sizeof(Entry) * capacity.entries) +
         Aligned(sizeof(uint64_t) * capacity.words);
}

StackTable::StackTable(void* memory, const Capacity& capacity)
    : capacity_(capacity) {
  auto* at = static_cast<std::byte*>(memory);
  const auto take = [&at](size_t bytes) {
    return std::exchange(at, at + Aligned(bytes));
  };
  cursors_ = reinterpret_cast<Cursors*>(take(sizeof(Cursors)));
  entry_index_ = reinterpret_cast<std::atomic<uint32_t>*>(
      take(sizeof(uint32_t) * kSlotsPerItem * capacity.entries));
  stack_index_ = reinterpret_cast<std::atomic<uint32_t>*>(
      take(sizeof(uint32_t) * kSlotsPerItem * capacity.stacks));
  entries_ = reinterpret_cast<Entry*>(take(sizeof(Entry) * capacity.entries));
  words_ = reinterpret_cast<uint64_t*>(take(sizeof(uint64_t) * capacity.words));
}

bool StackTable::StackEquals(uint32_t position,
                             absl::Span<const Frame> frames) const {
  return words_[position] == frames.size() &&
         memcmp(&words_[position + 1], frames.data(),
                frames.size() * sizeof(Frame)) == 0;
}

// Position of a private copy, or capacity_.words when there is no room.
uint32_t StackTable::CopyFrames(absl::Span<const Frame> frames) {
  const uint32_t size = static_cast<uint32_t>(frames.size()) + 1;
  // Looked at before it is added to, so that a full arena's cursor does not
  // run on and wrap.
  if (cursors_->words.load(std::memory_order_relaxed) + uint64_t{size} >
      capacity_.words) {
    return capacity_.words;
  }
  // Relaxed: the number alone makes the space ours.
  const uint32_t position =
      cursors_->words.fetch_add(size, std::memory_order_relaxed);
  if (position + uint64_t{size} > capacity_.words) return capacity_.words;
  words_[position] = frames.size();
  memcpy(&words_[position + 1], frames.data(), frames.size() * sizeof(Frame));
  return position;
}

StackId StackTable::Intern(absl::Span<const Frame> frames) {
  const uint32_t mask = capacity_.stacks * kSlotsPerItem - 1;
  uint32_t at = static_cast<uint32_t>(HashOf(frames));
  uint32_t own = capacity_.words;  // our copy, once made
  for (int probe = 0; probe < kMaxProbes; ++probe, ++at) {
    std::atomic<uint32_t>& slot = stack_index_[at & mask];
    uint32_t found = slot.load(std::memory_order_acquire);
    if (found == 0) {
      if (own == capacity_.words) {
        if (cursors_->stacks.load(std::memory_order_relaxed) >=
            capacity_.stacks) {
          return kNoStack;
        }
        own = CopyFrames(frames);
        if (own == capacity_.words) return kNoStack;
      }
      // Release: publishes our copy (invariant 1). Acquire on failure: we
      // are about to read the winner's.
      if (slot.compare_exchange_strong(found, own + 1,
                                       std::memory_order_release,
                                       std::memory_order_acquire)) {
        cursors_->stacks.fetch_add(1, std::memory_order_relaxed);
        return StackId{own};
      }
    }
    if (StackEquals(found - 1, frames)) return StackId{found - 1};
  }
  return kNoStack;
}

// Tries to put `key` into an empty slot. `own` is the writer's entry, taken at
// the first try. Returns the entry that the slot leads to afterwards, or
// kNoRoom.
EntryId StackTable::PublishEntry(std::atomic<uint32_t>& slot,
                                 const SampleKey& key, EntryId& own) {
  if (own == kNoRoom) {
    if (entry_count() >= capacity_.entries) return kNoRoom;
    const uint32_t taken =
        cursors_->entries.fetch_add(1, std::memory_order_relaxed);
    if (taken >= capacity_.entries) return kNoRoom;
    own = EntryId{taken};
    entries_[taken].key = key;
  }
  Entry& entry = entries_[static_cast<uint32_t>(own)];
  uint32_t found = 0;
  if (slot.compare_exchange_strong(found, static_cast<uint32_t>(own) + 1,
                                   std::memory_order_release,
                                   std::memory_order_acquire)) {
    // For readers, who come by position and not through the index.
    entry.ready.store(1, std::memory_order_release);
    return own;
  }
  return EntryId{found - 1};
}

EntryId StackTable::Find(const SampleKey& key) {
  const uint32_t mask = capacity_.entries * kSlotsPerItem - 1;
  uint32_t at = static_cast<uint32_t>(HashOf(key));
  EntryId own = kNoRoom;
  for (int probe = 0; probe < kMaxProbes; ++probe, ++at) {
    std::atomic<uint32_t>& slot = entry_index_[at & mask];
    const uint32_t found = slot.load(std::memory_order_acquire);
    const EntryId entry =
        found != 0 ? EntryId{found - 1} : PublishEntry(slot, key, own);
    if (entry == kNoRoom) return kNoRoom;
    if (entries_[static_cast<uint32_t>(entry)].key == key) return entry;
  }
  return kNoRoom;
}

void StackTable::Add(EntryId id, const Counts& counts) {
  Entry& entry = entries_[static_cast<uint32_t>(id)];
  entry.samples.fetch_add(counts.samples, std::memory_order_relaxed);
  entry.wall_ns.fetch_add(counts.wall_ns, std::memory_order_relaxed);
  if (counts.cpu_ns != 0) {
    entry.cpu_ns.fetch_add(counts.cpu_ns, std::memory_order_relaxed);
  }
}

uint32_t StackTable::entry_count() const {
  return std::min(cursors_->entries.load(std::memory_order_relaxed),
                  capacity_.entries);
}

bool StackTable::Read(EntryId id, SampleKey& key, Counts& counts) const {
  const Entry& entry = entries_[static_cast<uint32_t>(id)];
  if (entry.ready.load(std::memory_order_acquire) == 0) return false;
  key = entry.key;
  counts.samples = entry.samples.load(std::memory_order_relaxed);
  counts.cpu_ns = entry.cpu_ns.load(std::memory_order_relaxed);
  counts.wall_ns = entry.wall_ns.load(std::memory_order_relaxed);
  return true;
}

absl::Span<const Frame> StackTable::Frames(StackId stack) const {
  const uint32_t position = static_cast<uint32_t>(stack);
  return {reinterpret_cast<const Frame*>(&words_[position + 1]),
          static_cast<size_t>(words_[position])};
}

double StackTable::Fullness() const {
  const double entries = static_cast<double>(entry_count()) / capacity_.entries;
  const double stacks =
      static_cast<double>(cursors_->stacks.load(std::memory_order_relaxed)) /
      capacity_.stacks;
  const double words =
      static_cast<double>(cursors_->words.load(std::memory_order_relaxed)) /
      capacity_.words;
  return std::max({entries, stacks, words});
}

size_t StackTable::UsedBytes() const {
  return sizeof(uint32_t) * kSlotsPerItem *
             (size_t{capacity_.entries} + capacity_.stacks) +
         sizeof(Entry) * entry_count() +
         sizeof(uint64_t) * cursors_->words.load(std::memory_order_relaxed);
}

void StackTable::Clear() {
  memset(static_cast<void*>(entry_index_), 0,
         sizeof(uint32_t) * kSlotsPerItem * capacity_.entries);
  memset(static_cast<void*>(stack_index_), 0,
         sizeof(uint32_t) * kSlotsPerItem * capacity_.stacks);
  memset(static_cast<void*>(entries_), 0, sizeof(Entry) * entry_count());
  cursors_->entries.store(0, std::memory_order_relaxed);
  cursors_->words.store(0, std::memory_order_relaxed);
  cursors_->stacks.store(0, std::memory_order_relaxed);
}

}  // namespace wallprof::stacks
