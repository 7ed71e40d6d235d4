// What ends an agent's waits.
#ifndef WALLPROF_FLEET_AGENT_STOP_H_
#define WALLPROF_FLEET_AGENT_STOP_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"

namespace wallprof::agent {

// Thread-safe.
class Stop {
 public:
  // `clock` must outlive it.
  explicit Stop(const Clock& clock) : clock_(clock) {}

  void Raise() {
    std::lock_guard lock(mutex_);
    raised_ = true;
    changed_.notify_all();
  }

  // Ends one WaitForWakeUntil, under way or to come.
  void Wake() {
    std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

  bool raised() const {
    std::lock_guard lock(mutex_);
    return raised_;
  }

  // Waits until then by the steady clock, or for Raise. Whether it was raised.
  bool WaitUntil(absl::Time time) {
    std::unique_lock lock(mutex_);
    while (!raised_ && Pass(lock, time)) {
    }
    return raised_;
  }

  // The same, or for Wake.
  bool WaitForWakeUntil(absl::Time time) {
    std::unique_lock lock(mutex_);
    while (!raised_ && !woken_ && Pass(lock, time)) {
    }
    woken_ = false;
    return raised_;
  }

 private:
  // Waits once. False when the time has come.
  bool Pass(std::unique_lock<std::mutex>& lock, absl::Time time) {
    const absl::Duration left = time - clock_.Steady();
    if (left <= absl::ZeroDuration()) return false;
    // Longer waits overflow what the library counts with.
    constexpr absl::Duration kLongest = absl::Hours(1);
    changed_.wait_for(lock,
                      absl::ToChronoNanoseconds(std::min(left, kLongest)));
    return true;
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
  bool woken_ = false;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_STOP_H_
