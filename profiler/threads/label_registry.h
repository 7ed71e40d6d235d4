// Which labels each thread has now.
//
// A label set is interned once and known by a number; each labelled thread has
// a place where its current number stands, which the sampler and the signal
// handler read without a lock. Lives as long as the process: threads may end
// after everything else.
#ifndef WALLPROF_PROFILER_THREADS_LABEL_REGISTRY_H_
#define WALLPROF_PROFILER_THREADS_LABEL_REGISTRY_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profiler/threads/task_directory.h"
#include "wallprof/labels.h"

namespace wallprof::threads {

class LabelRegistry {
 public:
  // Keys and values, sorted by key.
  using Set = std::vector<std::pair<std::string, std::string>>;

  // Where a thread's current label set stands.
  struct Slot {
    std::atomic<Tid> tid{0};  // 0: free
    std::atomic<uint32_t> current{0};
  };

  static LabelRegistry& Get();

  // The number of `set` with `key` set to `value`; to "[overflow]" when there
  // is no room for more, and `set` itself when there is none for that. Set 0 is
  // empty.
  uint32_t With(uint32_t set, std::string_view key, std::string_view value);

  // The same, without the lock where the calling thread has asked it lately.
  uint32_t WithRecent(uint32_t set, std::string_view key,
                      std::string_view value);

  // The labels of a set. Thread-safe.
  Set Labels(uint32_t set) const;

  // The calling thread's slot, taken at the first call; nullptr when all are
  // taken. Given back when the thread ends.
  Slot* OwnSlot();

  // Changes whenever a slot is taken or given back.
  uint64_t generation() const {
    return generation_.load(std::memory_order_acquire);
  }

  // Calls `visit` with each slot in use. For the sampler: takes no lock.
  void VisitSlots(const std::function<void(Tid, const std::atomic<uint32_t>&)>&
                      visit) const;

 private:
  struct ThreadSlot;

  LabelRegistry();
  static ThreadSlot& OwnThreadSlot();
  Slot* Take();
  void GiveBack(Slot& slot);
  void AfterForkInChild();

  mutable std::mutex mutex_;
  std::vector<Set> sets_{Set()};       // guarded by mutex_
  std::map<Set, uint32_t> numbers_{};  // guarded by mutex_
  std::atomic<uint64_t> generation_{0};
  std::atomic<uint32_t> used_{0};  // slots at and above it were never taken
  std::array<Slot, ScopedLabel::kMaxLabelledThreads> slots_;
};

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_LABEL_REGISTRY_H_
