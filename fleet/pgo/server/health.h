// Whether a component and what it depends on are well:
//
//   GET /api/health  200 or 503 {"status":"healthy","dependencies":
//                    [{"name":"blob","status":"healthy","message":""}]}
//   GET /api/ready   200 {}
#ifndef WALLPROF_FLEET_PGO_SERVER_HEALTH_H_
#define WALLPROF_FLEET_PGO_SERVER_HEALTH_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fleet/serving/api.h"
#include "wallprof/http.h"

namespace wallprof::pgo {

// Thread-safe once all have been added.
class Health {
 public:
  // `check` says how `name` is now, not how it was; on any thread, within
  // seconds. Names: blob, versions, event-reader, event-writer, file://<path>,
  // kubernetes, nomad, consul.
  void Add(std::string name, std::function<absl::Status()> check);

  // /api/health. Checks at the same time, at most for a while.
  HttpResponse Respond() const;

  // The first that is not well.
  absl::Status Check() const;

 private:
  std::vector<std::pair<std::string, std::function<absl::Status()>>> checks_;
};

// The two paths alone, for components that serve nothing else.
class HealthApi : public serving::Api {
 public:
  // `health` must outlive this.
  explicit HealthApi(const Health& health) : health_(health) {}

  serving::Route RouteOf(std::string_view method,
                         std::string_view path) const override;
  HttpResponse Handle(const HttpRequest& request) override;
  HttpResponse Refusal(std::string_view path, int status,
                       std::string_view sentence) const override;

 private:
  const Health& health_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SERVER_HEALTH_H_
