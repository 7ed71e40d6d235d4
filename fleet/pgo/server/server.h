// The server: autopgo's API over the bases. Knows nothing of sockets, users and
// processes.
//
//   POST   /api/profile/<app>[?version=V]  201 {"key":"<app>/staging/<number>"}
//   GET    /api/profile/<app>              the base, gzipped pprof
//   GET    /api/profile                    {"profiles":[{"key","size",
//                                           "lastModified"}]}
//   DELETE /api/profile/<app>              200 {} when all of it is gone
//   GET    /api/health, /api/ready         see health.h
//
// Errors are {"message":"...","code":N}. An upload may have the header
// Idempotency-Key: a time in Unix nanoseconds, the same for every try of one
// profile, by which it counts once.
#ifndef WALLPROF_FLEET_PGO_SERVER_SERVER_H_
#define WALLPROF_FLEET_PGO_SERVER_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/events/bus.h"
#include "fleet/pgo/profile/accept.h"
#include "fleet/pgo/server/health.h"
#include "fleet/serving/api.h"
#include "fleet/serving/metrics.h"
#include "wallprof/http.h"

namespace wallprof::pgo {

// First words of the metrics' names, the worker's too.
inline constexpr char kMetricsPrefix[] = "wallprof_pgo";

struct ServerOptions {
  AcceptLimits limits;

  // Profiles unpacked and checked at once; others wait. Each takes several
  // times limits.message_bytes at worst.
  int accepting = 4;

  std::function<absl::Time()> now;  // empty: absl::Now

  // What is done, and what goes wrong. Both may be empty.
  fleet::LineLog log;
  fleet::LineLog warn;
};

// A profile, and what its sender says of it. What it refers to must outlive it.
struct Upload {
  std::string_view app;  // as CheckApp() takes it
  std::string_view body;
  std::string_view version;  // may be empty
  int64_t id = 0;            // as BaseStore::Stage()
  std::string_view sender;   // for the log
};

// Thread-safe.
class Server : public serving::Api {
 public:
  // All must outlive the server.
  Server(BaseStore& store, EventWriter& events, const Health& health,
         serving::Metrics& metrics, ServerOptions options);
  ~Server() override;

  // What POST does, for those in the same process. Returns the key. Errors are
  // AcceptProfile's, with OutOfRange for what is beyond a limit, and the
  // engines'.
  absl::StatusOr<std::string> Take(const Upload& upload);

  serving::Route RouteOf(std::string_view method,
                         std::string_view path) const override;
  HttpResponse Handle(const HttpRequest& request) override;
  HttpResponse Refusal(std::string_view path, int status,
                       std::string_view sentence) const override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SERVER_SERVER_H_
