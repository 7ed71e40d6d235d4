#include "http/server/worker_pool.h"

#include <chrono>
#include <utility>

namespace wallprof::http {

namespace {

// Connections that may wait for a worker. All workers busy is rare; those who
// come then should rather be told than kept.
constexpr size_t kMaxWaiting = 64;

// A scraper that comes every fifteen seconds finds its thread again.
constexpr std::chrono::seconds kIdleTime{20};

}  // namespace

WorkerPool::WorkerPool(ThreadGroup& threads, int max_workers,
                       std::function<void(FileDescriptor)> answer)
    : threads_(threads),
      max_workers_(max_workers),
      answer_(std::move(answer)) {}

FileDescriptor WorkerPool::Take(FileDescriptor connection) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (stopping_ || waiting_.size() >= kMaxWaiting) return connection;
  if (waiting_.size() >= idle_ && workers_ < max_workers_) {
    ++workers_;
    lock.unlock();
    bool started = threads_.Start([this] { Work(); }).ok();
    lock.lock();
    if (!started) {
      --workers_;
      // Nobody would ever come for it.
      if (workers_ == 0) return connection;
    }
  }
  waiting_.push_back(std::move(connection));
  changed_.notify_one();
  return FileDescriptor();
}

void WorkerPool::Stop() {
  std::unique_lock<std::mutex> lock(mutex_);
  stopping_ = true;
  waiting_.clear();
  changed_.notify_all();
  changed_.wait(lock, [this] { return workers_ == 0; });
}

void WorkerPool::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    ++idle_;
    bool woken = changed_.wait_for(
        lock, kIdleTime, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_ || !woken) break;
    FileDescriptor connection = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    answer_(std::move(connection));
    lock.lock();
  }
  --workers_;
  changed_.notify_all();
}

}  // namespace wallprof::http
