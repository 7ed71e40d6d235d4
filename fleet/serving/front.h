// What stands before a daemon's API: who may ask, who asked what, how long it
// took, and whether the daemon is well.
//
//   /health   200 while the process answers at all
//   /ready    200, or 503 with the reason
//   /metrics  what the daemon counts, for Prometheus; needs a read token
#ifndef WALLPROF_FLEET_SERVING_FRONT_H_
#define WALLPROF_FLEET_SERVING_FRONT_H_

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/serving/api.h"
#include "fleet/serving/event_log.h"
#include "fleet/serving/metrics.h"
#include "fleet/serving/tokens.h"
#include "http/server/exchange.h"
#include "wallprof/http.h"

namespace wallprof::serving {

struct FrontOptions {
  // First words of the metrics' names: "wallprof_collector".
  std::string metrics_prefix = "wallprof";

  // Without tokens everybody may do everything.
  const TokenFile* tokens = nullptr;

  // Names that a Host header may carry besides addresses and localhost, and
  // whether all others are refused or only those of a browser: a web page can
  // point a name of its own here, other clients do not run a stranger's code.
  std::vector<std::string> allowed_hosts;
  bool guards_all_hosts = true;

  // Not OK: why the daemon cannot do its work now. Empty: it always can.
  std::function<absl::Status()> ready;
};

// Thread-safe.
class Front {
 public:
  // All must outlive the front.
  Front(Api& api, Metrics& metrics, EventLog& log, FrontOptions options);

  // For ServeHandler(); the front must outlive the server. Bodies are limited
  // to `body_bytes`.
  http::Answering MakeAnswering(size_t body_bytes);

  // From here on /ready says that the daemon ends.
  void SetEnding() { ending_.store(true); }

 private:
  struct Visit;  // one request while it is answered

  std::optional<HttpResponse> AnswerHead(const HttpRequest& head);
  HttpResponse Handle(const HttpRequest& request);
  void CountRefused(int status);

  Visit Begin(const HttpRequest& request) const;
  std::optional<HttpResponse> Guard(const HttpRequest& head,
                                    const Visit& visit) const;
  std::optional<HttpResponse> AnswerOwn(const HttpRequest& head,
                                        const Visit& visit) const;
  HttpResponse CallApi(const HttpRequest& request, const Visit& visit);
  void End(const HttpRequest& request, const Visit& visit,
           HttpResponse& response);
  bool IsHostRefused(const HttpRequest& head) const;
  HttpResponse Ready() const;

  Api& api_;
  Metrics& metrics_;
  EventLog& log_;
  const FrontOptions options_;
  std::atomic<bool> ending_{false};
  Gauge& running_;
};

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_FRONT_H_
