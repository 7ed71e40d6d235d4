// The collector: profefe's API and more over a store of profiles. Knows nothing
// of sockets, users and processes.
#ifndef WALLPROF_FLEET_COLLECTOR_COLLECTOR_H_
#define WALLPROF_FLEET_COLLECTOR_COLLECTOR_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "fleet/collector/limits.h"
#include "fleet/collector/version.h"
#include "fleet/serving/api.h"
#include "fleet/store/profile_store.h"
#include "wallprof/http.h"

namespace wallprof::collector {

struct CollectorOptions {
  Limits limits;

  Version version;

  // Of the machine; tests have another.
  std::function<absl::Time()> now;
};

// Thread-safe.
class Collector : public serving::Api {
 public:
  // `store` must outlive the collector.
  Collector(store::ProfileStore& store, const CollectorOptions& options);
  ~Collector() override;

  serving::Route RouteOf(std::string_view method,
                         std::string_view path) const override;

  // Blocks for as long as the answer takes.
  HttpResponse Handle(const HttpRequest& request) override;

  // In the envelope, but for people at the page.
  HttpResponse Refusal(std::string_view path, int status,
                       std::string_view sentence) const override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_COLLECTOR_H_
