// Finds numbers by hashes: an open-addressing table that knows nothing of what
// the numbers stand for, eight bytes a slot.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_FLAT_INDEX_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_FLAT_INDEX_H_

#include <cstddef>
#include <cstdint>

#include "profiler/encode/merge/flat_array.h"

namespace wallprof {

class FlatIndex {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  size_t bytes() const { return slots_.bytes(); }
  size_t BytesFor(size_t count) const {
    return slots_.BytesFor(SlotsFor(count));
  }

  // Room for `count` numbers; beyond it nothing may be inserted.
  void Reserve(size_t count) {
    size_t slots = SlotsFor(count);
    if (slots > slots_.size()) Rebuild(slots);
  }

  void Prefetch(uint32_t hash) const {
    __builtin_prefetch(slots_.data() + First(hash));
  }

  // The first number with this hash, or kNone: most often the one sought.
  uint32_t Guess(uint32_t hash) const {
    return Find(hash, [](uint32_t) { return true; });
  }

  // The number inserted with `hash` for which `is_sought` holds, or kNone.
  template <typename IsSought>
  uint32_t Find(uint32_t hash, IsSought is_sought) const {
    if (slots_.empty()) return kNone;
    for (size_t i = First(hash);; i = (i + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[i];
      if (slot.number == kNone) return kNone;
      if (slot.hash == hash && is_sought(slot.number)) return slot.number;
    }
  }

  void Insert(uint32_t hash, uint32_t number) {
    size_t i = First(hash);
    while (slots_[i].number != kNone) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {hash, number};
  }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t number;
  };

  static constexpr size_t kFewestSlots = 16;

  // At most seven tenths are taken, so that searches stay short.
  size_t SlotsFor(size_t count) const {
    size_t slots = slots_.empty() ? kFewestSlots : slots_.size();
    while (count > slots / 10 * 7) slots *= 2;
    return slots;
  }

  // The upper bits choose the slot: tables of any size order hashes alike.
  size_t First(uint32_t hash) const {
    return (uint64_t{hash} * slots_.size()) >> 32;
  }

  void Rebuild(size_t count) {
    FlatArray<Slot> old = std::move(slots_);
    slots_ = FlatArray<Slot>();
    slots_.Assign(count, {0, kNone});
    for (const Slot& slot : old) {
      if (slot.number != kNone) Insert(slot.hash, slot.number);
    }
  }

  FlatArray<Slot> slots_;  // a power of two of them
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_FLAT_INDEX_H_
