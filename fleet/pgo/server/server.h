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

#include <functional>
#include <memory>
#include <string_view>

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
  fleet::LineLog log;               // may be empty
};

// Thread-safe.
class Server : public serving::Api {
 public:
  // All must outlive the server.
  Server(BaseStore& store, EventWriter& events, const Health& health,
         serving::Metrics& metrics, ServerOptions options);
  ~Server() override;

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
