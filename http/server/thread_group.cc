#include "http/server/thread_group.h"

#include <utility>

namespace wallprof::http {

namespace {

constexpr char kThreadName[] = "wallprof-http";

}  // namespace

ThreadGroup::ThreadGroup(SpawnThread spawn)
    : spawn_(std::move(spawn)), count_(std::make_shared<Count>()) {}

absl::Status ThreadGroup::Start(std::function<void()> body) {
  auto change = [](Count& count, int by) {
    std::lock_guard<std::mutex> lock(count.mutex);
    count.running += by;
    count.ended.notify_all();
  };
  change(*count_, 1);
  absl::Status status =
      spawn_(kThreadName, [count = count_, change, body = std::move(body)] {
        body();
        change(*count, -1);
      });
  if (!status.ok()) change(*count_, -1);
  return status;
}

void ThreadGroup::Wait() {
  std::unique_lock<std::mutex> lock(count_->mutex);
  count_->ended.wait(lock, [this] { return count_->running == 0; });
}

}  // namespace wallprof::http
