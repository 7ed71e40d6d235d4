// A connection to NATS that outlives its servers' restarts.
#ifndef WALLPROF_FLEET_PGO_ENGINES_NATS_CONNECTION_H_
#define WALLPROF_FLEET_PGO_ENGINES_NATS_CONNECTION_H_

#include <nats/nats.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/engines/nats_servers.h"

namespace wallprof::pgo {

// For a call to JetStream that may wait for so long.
jsOptions OptionsOf(absl::Duration wait);

// What the library of NATS has for a connection; it connects again by itself,
// for ever. Thread-safe.
class NatsSession {
 public:
  NatsSession(natsConnection* connection, jsCtx* streams)
      : connection_(connection), streams_(streams) {}
  ~NatsSession();
  NatsSession(const NatsSession&) = delete;
  NatsSession& operator=(const NatsSession&) = delete;

  natsConnection* connection() const { return connection_; }
  jsCtx* streams() const { return streams_; }
  bool IsConnected() const;

  // Grows with every connection that was made again.
  uint64_t reconnects() const;

 private:
  natsConnection* const connection_;
  jsCtx* const streams_;
};

// Thread-safe. Errors name the place, and never a password. Nothing is printed.
class NatsConnection {
 public:
  // Unavailable where no server could be reached for `patience`,
  // PermissionDenied where none let us in, FailedPrecondition for files of
  // credentials that cannot be read.
  static absl::StatusOr<std::unique_ptr<NatsConnection>> Open(
      NatsServers servers, absl::Duration patience);

  // The session now, connected or not; another one where the library gave the
  // last one up, as it does when credentials were refused twice.
  absl::StatusOr<std::shared_ptr<NatsSession>> Session();

  // A request that takes longer is asked again.
  static constexpr absl::Duration kAnswerTimeout = absl::Seconds(2);

  // Calls `once` while it is connected, again while what comes is Unavailable,
  // until `patience` has ended. `wait` is for one request's answer.
  using Once = absl::FunctionRef<absl::Status(NatsSession& session,
                                              absl::Duration wait)>;
  absl::Status Insist(absl::Duration patience, Once once);

  // Of what the library returned: Unavailable, PermissionDenied, NotFound,
  // Aborted where another was quicker, else FailedPrecondition. `doing` says at
  // what it was.
  absl::Status ErrorOf(NatsSession& session, natsStatus status, jsErrCode code,
                       std::string_view doing) const;

 private:
  explicit NatsConnection(NatsServers servers) : servers_(std::move(servers)) {}
  absl::StatusOr<std::shared_ptr<NatsSession>> Connect() const;
  absl::Status Error(absl::StatusCode code, std::string_view why) const;

  const NatsServers servers_;
  std::mutex mutex_;
  std::shared_ptr<NatsSession> session_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_ENGINES_NATS_CONNECTION_H_
