#include "fleet/calls/calls.h"

#include <utility>

namespace wallprof::fleet {
namespace {

// Lines of a log that is stuck; a minute has less than ten.
constexpr size_t kMostWaiting = 1000;

}  // namespace

void Calls::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return finishing_ || !waiting_.empty(); });
    if (waiting_.empty()) break;
    const std::function<void()> call = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    call();
    lock.lock();
  }
  ended_ = true;
  changed_.notify_all();
}

void Calls::Post(std::function<void()> call) {
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMostWaiting) return;
  waiting_.push_back(std::move(call));
  changed_.notify_all();
}

void Calls::Do(const std::function<void()>& call) {
  bool done = false;
  std::unique_lock lock(mutex_);
  waiting_.push_back([&] {
    call();
    std::lock_guard done_lock(mutex_);
    done = true;
    changed_.notify_all();
  });
  changed_.notify_all();
  changed_.wait(lock, [&done] { return done; });
}

void Calls::Finish() {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return ended_; });
}

}  // namespace wallprof::fleet
