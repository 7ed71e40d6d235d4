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
#include "fleet/store/profile_store.h"
#include "wallprof/http.h"

namespace wallprof::collector {

struct CollectorOptions {
  Limits limits;

  Version version;

  // Of the machine; tests have another.
  std::function<absl::Time()> now;
};

// What a request may do with a token that allows it.
enum class Scope { kRead, kWrite, kAdmin };

// What a request is, before it is looked at.
struct Route {
  // The path with ids left out, for metrics: "/api/0/profiles/__id__". Empty
  // for a path that is not there.
  std::string_view name;
  Scope scope = Scope::kRead;
};

// Thread-safe.
class Collector {
 public:
  // `store` must outlive the collector.
  Collector(store::ProfileStore& store, const CollectorOptions& options);
  ~Collector();

  static Route RouteOf(const HttpRequest& request);

  // Blocks for as long as the answer takes.
  HttpResponse Handle(const HttpRequest& request);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_COLLECTOR_H_
