// A few connections to PostgreSQL, for many threads.
#ifndef WALLPROF_FLEET_POSTGRES_CONNECTION_POOL_H_
#define WALLPROF_FLEET_POSTGRES_CONNECTION_POOL_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/postgres/connection.h"

namespace wallprof::postgres {

// Thread-safe.
class ConnectionPool {
 public:
  // Does a part of a call's work; what it does more than once must be as if
  // done once. `attempt` counts from 0; before those after it, the work may
  // have been done without our knowing.
  using Work =
      absl::FunctionRef<absl::Status(Connection& connection, int attempt)>;

  // See Connection::Open. Makes no connection yet.
  explicit ConnectionPool(std::string url) : url_(std::move(url)) {}

  // Does `work`, again while it is Unavailable, until `patience` has ended.
  // Where the server has been down for longer than that, once more soon, or
  // not.
  absl::Status Run(absl::Duration patience, Work work);

 private:
  absl::StatusOr<std::unique_ptr<Connection>> Take(absl::Duration patience);
  absl::StatusOr<std::unique_ptr<Connection>> Connect(absl::Time end);
  void Return(std::unique_ptr<Connection> connection);

  const std::string url_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  int taken_ = 0;
  // Of a server that is down: how often it is asked.
  absl::Duration gap_;
  absl::Time next_connect_ = absl::InfinitePast();
  absl::Time down_since_ = absl::InfiniteFuture();
};

}  // namespace wallprof::postgres

#endif  // WALLPROF_FLEET_POSTGRES_CONNECTION_POOL_H_
