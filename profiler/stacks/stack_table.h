// Stacks and their counts, in fixed memory, without locks.
//
// Writers intern a stack once and then add to the entry of its key, (stack,
// thread, state, wait, labels, target). Readers copy counts whenever they like.
// Counts only grow: a measurement is the difference of two readings.
//
//   index ──┐ slots of 32 bits, open addressing, 0 = empty, else position + 1
//           ▼
//   entries [key|samples cpu wall] [..] [..] ...          filled from the front
//              │ stack = word offset
//              ▼
//   words   [depth|frame leaf .. root] [depth|..] ...     filled from the front
//
// Invariants
//  1. A slot of an index changes once, from 0 to a position; what it points to
//     was complete before that (release) and never changes after, but for an
//     entry's counts. So a reader that finds a position (acquire) may read on.
//  2. Space is taken by adding to a counter, so no two writers fill the same.
//     A writer that loses the race for a slot to one with the same key uses
//     the winner's; its own space is lost, counted nowhere and harmless: no
//     slot leads to it and its counts are 0.
//  3. Equality is that of whole stacks and keys, never of hashes.
//  4. No operation waits for another thread. What finds no room goes to the
//     caller as kNoRoom, who counts it under [overflow].
//  5. The memory holds no pointers: two processes may map it at two addresses.
//
// Any number of writers and readers, from any thread. Async-signal-safe.
#ifndef WALLPROF_PROFILER_STACKS_STACK_TABLE_H_
#define WALLPROF_PROFILER_STACKS_STACK_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"
#include "profiler/stacks/frame.h"

namespace wallprof::stacks {

// What a thread was doing at a look.
enum class ThreadState : uint8_t { kRunning, kRunnable, kBlocked, kDisk };

// Where in the table a stack stands; equal stacks have equal ids.
enum class StackId : uint32_t {};

// Position of an entry.
enum class EntryId : uint32_t {};

inline constexpr StackId kNoStack{0xffffffff};
inline constexpr EntryId kNoRoom{0xffffffff};

// `wait` of a sample that waits for nothing, or not in a system call.
inline constexpr uint16_t kNoWait = 0xffff;
inline constexpr uint16_t kWaitPageFault = 0xfffe;

// In place of a thread's index: the sample is of no one thread.
inline constexpr uint32_t kNoThread = UINT32_MAX;

struct SampleKey {
  StackId stack = kNoStack;
  uint32_t thread = kNoThread;  // index in the recording's threads
  uint32_t labels = 0;          // label set, 0: none
  uint16_t wait = kNoWait;
  ThreadState state = ThreadState::kRunning;
  uint8_t zero = 0;  // no padding, so keys compare as bytes

  // Of a wait for a lock: the stack of its holder, whose state `state` is then.
  // Such entries count again what is counted without a holder.
  StackId holder = kNoStack;

  // What a blocked sample waits for, where somebody wants to know it: words
  // that stand in the table as a stack does, and are no frames. kNoStack: not
  // asked.
  StackId target = kNoStack;

  friend bool operator==(const SampleKey&, const SampleKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const SampleKey& key) {
    return H::combine(std::move(state), key.stack, key.thread, key.labels,
                      key.wait, key.state, key.holder, key.target);
  }
};
static_assert(sizeof(SampleKey) == 24);

struct Counts {
  int64_t samples = 0;
  int64_t cpu_ns = 0;
  int64_t wall_ns = 0;

  Counts& operator+=(const Counts& other);
  friend bool operator==(const Counts&, const Counts&) = default;
};

class StackTable {
 public:
  struct Capacity {
    uint32_t entries = 0;  // powers of two
    uint32_t stacks = 0;
    uint32_t words = 0;
  };

  // Bytes of memory, aligned to 64, that a table of `capacity` needs.
  static size_t BytesFor(const Capacity& capacity);

  // A view of `memory`, which is all zero or holds a table of the same
  // capacity, and must outlive it.
  StackTable(void* memory, const Capacity& capacity);

  // The stack's id, leaf first; kNoStack when there is no room.
  StackId Intern(absl::Span<const Frame> frames);

  // The key's entry, made if there is none; kNoRoom when there is no room.
  EntryId Find(const SampleKey& key);

  // Adds to an entry.
  void Add(EntryId entry, const Counts& counts);

  // Entries taken so far; valid ids are below it.
  uint32_t entry_count() const;

  // False for an entry whose writer lost the race for it or is not done yet.
  bool Read(EntryId entry, SampleKey& key, Counts& counts) const;

  // Frames of a stack that an entry names.
  absl::Span<const Frame> Frames(StackId stack) const;

  // Share of the scarcest resource that is taken, 0 to 1.
  double Fullness() const;

  // Memory touched so far, roughly: indexes count as a whole.
  size_t UsedBytes() const;

  // Forgets everything. No other thread may use the table meanwhile.
  void Clear();

 private:
  struct Cursors;  // how much is taken of each
  struct Entry;

  EntryId PublishEntry(std::atomic<uint32_t>& slot, const SampleKey& key,
                       EntryId& own);
  bool StackEquals(uint32_t position, absl::Span<const Frame> frames) const;
  uint32_t CopyFrames(absl::Span<const Frame> frames);

  Capacity capacity_;
  Cursors* cursors_;
  std::atomic<uint32_t>* entry_index_;
  std::atomic<uint32_t>* stack_index_;
  Entry* entries_;
  uint64_t* words_;
};

}  // namespace wallprof::stacks

#endif  // WALLPROF_PROFILER_STACKS_STACK_TABLE_H_
