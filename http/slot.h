// How many requests measure at once.
#ifndef WALLPROF_HTTP_SLOT_H_
#define WALLPROF_HTTP_SLOT_H_

#include <atomic>

namespace wallprof::http {

// One of the requests that measure at once, counted while it lives. Relaxed: a
// count, which orders nothing else.
class Slot {
 public:
  explicit Slot(std::atomic<int>& taken)
      : taken_(taken), number_(taken.fetch_add(1, std::memory_order_relaxed)) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { taken_.fetch_sub(1, std::memory_order_relaxed); }

  // How many there were before it.
  int number() const { return number_; }

 private:
  std::atomic<int>& taken_;
  const int number_;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SLOT_H_
