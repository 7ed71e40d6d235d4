#include "fleet/postgres/connection_pool.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace wallprof::postgres {
namespace {

// A server has 100 by default, which many collectors share; statements take
// milliseconds.
constexpr int kMaxConnections = 8;

// Between attempts to connect, doubled each time: a server that restarts is
// back in a second or a few.
constexpr absl::Duration kFirstGap = absl::Milliseconds(50);
constexpr absl::Duration kLongestGap = absl::Seconds(2);

}  // namespace

absl::Status ConnectionPool::Run(absl::Duration patience, Work work) {
  const absl::Time end = absl::Now() + patience;
  absl::Duration wait = kFirstGap;
  for (int attempt = 0;;) {
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        Take(end - absl::Now());
    if (!connection.ok()) return connection.status();
    const absl::Status status = work(**connection, attempt++);
    Return(*std::move(connection));
    if (!absl::IsUnavailable(status) || absl::Now() + wait > end) return status;
    absl::SleepFor(wait);
    wait = std::min(2 * wait, kLongestGap);
  }
}

absl::StatusOr<std::unique_ptr<Connection>> ConnectionPool::Take(
    absl::Duration patience) {
  absl::Time end = absl::Now() + patience;
  {
    std::unique_lock lock(mutex_);
    // Else all who call would pile up, one patience each.
    if (absl::Now() - down_since_ > patience) {
      end = std::min(end, absl::Now() + kLongestGap);
    }
    if (!returned_.wait_until(lock, absl::ToChronoTime(end),
                              [this] { return taken_ < kMaxConnections; })) {
      return absl::UnavailableError(
          "all connections to PostgreSQL have been in use for too long");
    }
    ++taken_;
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connect(end);
  if (!connection.ok()) Return(nullptr);
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> ConnectionPool::Connect(
    absl::Time end) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      for (;;) {
        const absl::Time until = std::min(next_connect_, end);
        if (absl::Now() >= until) break;
        returned_.wait_until(lock, absl::ToChronoTime(until));
      }
    }
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        Connection::Open(url_);
    std::lock_guard lock(mutex_);
    if (connection.ok()) {
      gap_ = absl::ZeroDuration();
      down_since_ = absl::InfiniteFuture();
      next_connect_ = absl::InfinitePast();
      returned_.notify_all();
      return connection;
    }
    if (!absl::IsUnavailable(connection.status()) || absl::Now() > end) {
      return connection.status();
    }
    down_since_ = std::min(down_since_, absl::Now());
    gap_ = std::clamp(2 * gap_, kFirstGap, kLongestGap);
    next_connect_ = absl::Now() + gap_;
  }
}

void ConnectionPool::Return(std::unique_ptr<Connection> connection) {
  std::vector<std::unique_ptr<Connection>> gone;
  {
    std::lock_guard lock(mutex_);
    --taken_;
    if (connection != nullptr && connection->IsIdle()) {
      idle_.push_back(std::move(connection));
    } else if (connection != nullptr) {
      // What broke one has most likely broken all.
      gone.swap(idle_);
      gone.push_back(std::move(connection));
    }
  }
  returned_.notify_one();
}

}  // namespace wallprof::postgres
