#include "http/server/worker_pool.h"

#include <chrono>
#include <utility>

namespace wallprof::http {

namespace {

// A scraper that comes every fifteen seconds finds its thread again.
constexpr std::chrono::seconds kIdleTime{20};

}  // namespace

WorkerPool::WorkerPool(ThreadGroup& threads, int max_workers,
                       size_t max_waiting,
                       std::function<void(FileDescriptor)> answer)
    : threads_(threads),
      max_workers_(max_workers),
      max_waiting_(max_waiting),
      answer_(std::move(answer)) {}

FileDescriptor WorkerPool::Take(FileDescriptor connection) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (stopping_ || waiting_.size() >= max_waiting_) return connection;
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

size_t WorkerPool::Connections() {
  std::lock_guard<std::mutex> lock(mutex_);
  return waiting_.size() + answering_;
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
    ++answering_;
    lock.unlock();
    answer_(std::move(connection));
    lock.lock();
    --answering_;
  }
  --workers_;
  changed_.notify_all();
}

}  // namespace wallprof::http
