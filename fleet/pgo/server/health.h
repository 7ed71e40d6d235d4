// Whether a component and what it depends on are well:
//
//   GET /api/health  200 {"status":"healthy","dependencies":
//                    [{"name":"blob","status":"healthy"}]}, or 503 with
//                    "unhealthy", those that are not with a "message"
//   GET /api/ready   200 {}
#ifndef WALLPROF_FLEET_PGO_SERVER_HEALTH_H_
#define WALLPROF_FLEET_PGO_SERVER_HEALTH_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/serving/api.h"
#include "wallprof/http.h"

namespace wallprof::pgo {

// Thread-safe once all have been added.
class Health {
 public:
  // How long a check may take until the dependency counts as unwell: longer
  // than an engine's own patience with a lost packet, shorter than that of
  // those who probe.
  static constexpr absl::Duration kPatience = absl::Seconds(5);

  explicit Health(absl::Duration patience = kPatience);

  // Waits for checks that run.
  ~Health();

  // `check` says how `name` is now, not how it was; on any thread, within
  // seconds. Names: blob, versions, event-reader, event-writer, file://<path>,
  // kubernetes, nomad, consul.
  void Add(std::string name, std::function<absl::Status()> check);

  // /api/health. All are checked at the same time.
  HttpResponse Respond() const;

  // The first that is not well, by name.
  absl::Status Check() const;

 private:
  class Dependency;

  // In the order of adding.
  std::vector<absl::Status> CheckAll() const;

  const absl::Duration patience_;
  std::vector<std::unique_ptr<Dependency>> dependencies_;
};

inline constexpr std::string_view kHealthPath = "/api/health";
inline constexpr std::string_view kReadyPath = "/api/ready";

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
