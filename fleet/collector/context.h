// What every answer of the collector is made from.
#ifndef WALLPROF_FLEET_COLLECTOR_CONTEXT_H_
#define WALLPROF_FLEET_COLLECTOR_CONTEXT_H_

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/collector/ingest.h"
#include "fleet/collector/limits.h"
#include "fleet/collector/version.h"
#include "fleet/store/profile_store.h"
#include "http/query.h"
#include "wallprof/http.h"

namespace wallprof::collector {

// Of the collector: shared by all requests.
struct Shared {
  store::ProfileStore& store;
  const Limits limits;
  Ingest ingest;
  std::atomic<int64_t> running_queries{0};
};

// Of one request.
struct Context {
  Shared& shared;
  const HttpRequest& request;
  http::Query parameters;
  std::string_view rest;  // of the path, behind what the route names
  absl::Time now;
  const Version& version;

  bool IsClientGone() const {
    return request.client_gone && request.client_gone();
  }
};

// A place among the queries that may run at once.
class QueryPlace {
 public:
  explicit QueryPlace(Shared& shared)
      : shared_(shared),
        is_taken_(++shared.running_queries <= shared.limits.queries) {}
  ~QueryPlace() { --shared_.running_queries; }

  QueryPlace(const QueryPlace&) = delete;
  QueryPlace& operator=(const QueryPlace&) = delete;

  // Aborted where as many run as may.
  absl::Status status() const {
    return is_taken_ ? absl::OkStatus()
                     : absl::AbortedError(
                           "as many queries run as may at once; try again");
  }

 private:
  Shared& shared_;
  const bool is_taken_;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_CONTEXT_H_
