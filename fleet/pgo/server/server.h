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
// Errors are {"message":"...","code":N}.
#ifndef WALLPROF_FLEET_PGO_SERVER_SERVER_H_
#define WALLPROF_FLEET_PGO_SERVER_SERVER_H_

#include <memory>
#include <string_view>

#include "fleet/log/log_line.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/events/bus.h"
#include "fleet/pgo/profile/accept.h"
#include "fleet/pgo/server/health.h"
#include "fleet/serving/api.h"
#include "wallprof/http.h"

namespace wallprof::pgo {

struct ServerOptions {
  AcceptLimits limits;
  fleet::LineLog log;  // may be empty
};

// Thread-safe.
class Server : public serving::Api {
 public:
  // All must outlive the server.
  Server(BaseStore& store, EventWriter& events, const Health& health,
         ServerOptions options);
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
