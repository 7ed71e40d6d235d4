#include "profiler/threads/label_registry.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace wallprof::threads {
namespace {

// The value of a label that there is no room for, and how many sets there may
// be with it, beyond the others: one for each key, and some nested ones.
constexpr std::string_view kOverflow = "[overflow]";
constexpr size_t kOverflowSets = 256;

void SetLabel(std::string_view key, std::string_view value,
              LabelRegistry::Set& labels) {
  const auto at = std::lower_bound(
      labels.begin(), labels.end(), key,
      [](const auto& label, std::string_view k) { return label.first < k; });
  if (at != labels.end() && at->first == key) {
    at->second = std::string(value);
  } else {
    labels.emplace(at, std::string(key), std::string(value));
  }
}

// Made when the program is loaded: a child forked while another thread makes it
// would wait for that for ever.
[[maybe_unused]] const LabelRegistry& g_made_at_load = LabelRegistry::Get();

// What a thread has set before: programs set the same few labels over and over,
// and the registry's lock is everybody's.
class RecentLabels {
 public:
  uint32_t With(uint32_t set, std::string_view key, std::string_view value) {
    if (key.size() + value.size() > kMaxBytes) {
      return LabelRegistry::Get().With(set, key, value);
    }
    const std::hash<std::string_view> hash;
    Recent& recent =
        recent_[(hash(value) + 31 * hash(key) + set) % recent_.size()];
    if (recent.set != set || recent.key != key || recent.value != value) {
      recent.set = kNoSet;  // until all of it is there
      recent.key = key;
      recent.value = value;
      recent.with = LabelRegistry::Get().With(set, key, value);
      recent.set = set;
    }
    return recent.with;
  }

 private:
  // More than a request nests, few enough to stay in the cache: 5 KiB a thread.
  static constexpr size_t kRecent = 64;
  // Longer ones are seldom set twice.
  static constexpr size_t kMaxBytes = 256;
  static constexpr uint32_t kNoSet = ~0u;

  struct Recent {
    uint32_t set = kNoSet;
    uint32_t with = 0;
    std::string key;
    std::string value;
  };
  std::array<Recent, kRecent> recent_;
};

}  // namespace

// Gives the slot back when the thread ends.
struct LabelRegistry::ThreadSlot {
  Slot* slot = nullptr;
  bool asked = false;
  std::unique_ptr<RecentLabels> recent;
  ~ThreadSlot() {
    if (slot != nullptr) Get().GiveBack(*slot);
  }
};

LabelRegistry& LabelRegistry::Get() {
  static LabelRegistry* const registry = new LabelRegistry;
  return *registry;
}

// A child inherits the lock as it is, but not the thread that would give it
// back.
LabelRegistry::LabelRegistry() {
  pthread_atfork([] { Get().mutex_.lock(); }, [] { Get().mutex_.unlock(); },
                 [] {
                   Get().mutex_.unlock();
                   Get().AfterForkInChild();
                 });
}

// Of all threads only the one that forked is there, under another number.
void LabelRegistry::AfterForkInChild() {
  Slot* own = OwnThreadSlot().slot;
  for (uint32_t i = 0; i < used_.load(std::memory_order_relaxed); ++i) {
    if (&slots_[i] == own) {
      own->tid.store(OwnTid(), std::memory_order_release);
    } else {
      GiveBack(slots_[i]);
    }
  }
}

uint32_t LabelRegistry::With(uint32_t set, std::string_view key,
                             std::string_view value) {
  std::lock_guard lock(mutex_);
  Set labels = sets_[set];
  SetLabel(key, value, labels);
  auto known = numbers_.find(labels);
  if (known == numbers_.end() && sets_.size() >= ScopedLabel::kMaxLabelSets) {
    SetLabel(key, kOverflow, labels);
    known = numbers_.find(labels);
  }
  if (known != numbers_.end()) return known->second;
  if (sets_.size() >= ScopedLabel::kMaxLabelSets + kOverflowSets) return set;
  const auto number = static_cast<uint32_t>(sets_.size());
  sets_.push_back(labels);
  numbers_.emplace(std::move(labels), number);
  return number;
}

uint32_t LabelRegistry::WithRecent(uint32_t set, std::string_view key,
                                   std::string_view value) {
  ThreadSlot& own = OwnThreadSlot();
  if (own.recent == nullptr) own.recent = std::make_unique<RecentLabels>();
  return own.recent->With(set, key, value);
}

LabelRegistry::Set LabelRegistry::Labels(uint32_t set) const {
  std::lock_guard lock(mutex_);
  return set < sets_.size() ? sets_[set] : Set();
}

LabelRegistry::Slot* LabelRegistry::Take() {
  const Tid tid = OwnTid();
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    Tid free = 0;
    if (!slots_[i].tid.compare_exchange_strong(free, tid,
                                               std::memory_order_acq_rel)) {
      continue;
    }
    uint32_t used = used_.load(std::memory_order_relaxed);
    while (used < i + 1 && !used_.compare_exchange_weak(
                               used, i + 1, std::memory_order_release)) {
    }
    generation_.fetch_add(1, std::memory_order_release);
    return &slots_[i];
  }
  return nullptr;
}

void LabelRegistry::GiveBack(Slot& slot) {
  slot.current.store(0, std::memory_order_relaxed);
  slot.tid.store(0, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
}

LabelRegistry::ThreadSlot& LabelRegistry::OwnThreadSlot() {
  thread_local ThreadSlot own;
  return own;
}

LabelRegistry::Slot* LabelRegistry::OwnSlot() {
  ThreadSlot& own = OwnThreadSlot();
  if (!own.asked) {
    own.asked = true;
    own.slot = Take();
  }
  return own.slot;
}

void LabelRegistry::VisitSlots(
    const std::function<void(Tid, const std::atomic<uint32_t>&)>& visit) const {
  const uint32_t used = used_.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used; ++i) {
    const Tid tid = slots_[i].tid.load(std::memory_order_acquire);
    if (tid != 0) visit(tid, slots_[i].current);
  }
}

}  // namespace wallprof::threads

namespace wallprof {

ScopedLabel::ScopedLabel(std::string_view key, std::string_view value) {
  threads::LabelRegistry& registry = threads::LabelRegistry::Get();
  threads::LabelRegistry::Slot* slot = registry.OwnSlot();
  if (slot == nullptr) {
    previous_ = 0;
    return;
  }
  previous_ = slot->current.load(std::memory_order_relaxed);
  slot->current.store(registry.WithRecent(previous_, key, value),
                      std::memory_order_relaxed);
}

ScopedLabel::~ScopedLabel() {
  threads::LabelRegistry::Slot* slot = threads::LabelRegistry::Get().OwnSlot();
  if (slot != nullptr) {
    slot->current.store(previous_, std::memory_order_relaxed);
  }
}

}  // namespace wallprof
