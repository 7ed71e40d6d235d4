// A server for whatever answers HTTP requests, on any kind of thread: the
// embedded profiler's and the daemons'.
#ifndef WALLPROF_HTTP_SERVER_SERVE_HANDLER_H_
#define WALLPROF_HTTP_SERVER_SERVE_HANDLER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/server/exchange.h"
#include "http/server/thread_group.h"
#include "http/socket/connection.h"
#include "http/socket/transport.h"
#include "wallprof/http.h"

namespace wallprof::http {

struct ServerOptions {
  // Requests that are read, handled and answered at once. Each holds a thread.
  int max_workers = 48;

  // Connections that may wait for a worker. All workers busy is rare; those who
  // come then should rather be told than kept.
  size_t max_waiting = 64;

  ConnectionLimits limits;

  // How bytes move, and what a URL then begins with.
  NewTransport new_transport = NewPlainTransport;
  std::string scheme = "http";
};

class HandlerServer : public Server {
 public:
  // Closes the port. Connections that were taken before are still answered.
  // Returns at once. Idempotent. Thread-safe.
  virtual void StopListening() = 0;

  // Connections that are not answered yet. Thread-safe.
  virtual size_t connections() = 0;
};

// Serves on `address`, as Serve() does. Every thread is made by `spawn`, and
// every descriptor is opened, used and closed on those threads, whose
// descriptor table may be another one than the caller's. Each connection
// carries one request.
absl::StatusOr<std::unique_ptr<HandlerServer>> ServeHandler(
    std::string_view address, Answering answering, SpawnThread spawn,
    const ServerOptions& options = {});

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_SERVE_HANDLER_H_
