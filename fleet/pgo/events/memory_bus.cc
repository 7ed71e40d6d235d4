#include "fleet/pgo/events/memory_bus.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "absl/time/clock.h"

namespace wallprof::pgo {
namespace {

// How often those who wait are asked whether they want to go on.
constexpr absl::Duration kAsking = absl::Milliseconds(100);

}  // namespace

// What is to be received, by the time from which on, and in the order of
// coming.
class MemoryBus::Queue {
 public:
  void Add(std::string text, absl::Duration delay) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_.emplace(absl::Now() + delay, std::move(text));
    }
    came_.notify_one();
  }

  // Into `text`; false if none came within `patience`.
  bool Take(absl::Duration patience, const std::function<bool()>& cancelled,
            std::string& text) {
    const absl::Time until = absl::Now() + patience;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      const absl::Time now = absl::Now();
      if (!events_.empty() && events_.begin()->first <= now) {
        text = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        return true;
      }
      if (now >= until) return false;
      absl::Duration wait = std::min(kAsking, until - now);
      if (!events_.empty()) {
        wait = std::min(wait, events_.begin()->first - now);
      }
      came_.wait_for(lock, absl::ToChronoNanoseconds(wait));
      // Not with the lock: it may ask others who publish.
      lock.unlock();
      if (cancelled && cancelled()) return false;
      lock.lock();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::multimap<absl::Time, std::string> events_;
};

class MemoryBus::Held : public Delivery {
 public:
  Held(std::shared_ptr<Queue> queue, std::string text)
      : queue_(std::move(queue)), text_(std::move(text)) {}

  ~Held() override {
    if (queue_ != nullptr) queue_->Add(std::move(text_), absl::ZeroDuration());
  }

  std::string_view text() const override { return text_; }

  absl::Status Acknowledge() override {
    queue_ = nullptr;
    return absl::OkStatus();
  }

  absl::Status Return(absl::Duration delay) override {
    if (queue_ == nullptr) {
      return absl::FailedPreconditionError("the event is done with");
    }
    queue_->Add(text_, delay);
    queue_ = nullptr;
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<Queue> queue_;  // nullptr: done with
  std::string text_;
};

MemoryBus::MemoryBus() : queue_(std::make_shared<Queue>()) {}

MemoryBus::~MemoryBus() = default;

absl::Status MemoryBus::Publish(const Event& event) {
  queue_->Add(EncodeEvent(event), absl::ZeroDuration());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Delivery>> MemoryBus::Receive(
    absl::Duration patience, const std::function<bool()>& cancelled) {
  std::string text;
  if (!queue_->Take(patience, cancelled, text)) return nullptr;
  return std::make_unique<Held>(queue_, std::move(text));
}

}  // namespace wallprof::pgo
