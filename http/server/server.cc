#include "http/server/server.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "http/server/serve_handler.h"

namespace wallprof::http {

namespace {

// The one path whose request has a body.
constexpr std::string_view kBodyPath = "/debug/pprof/symbol";

// Threads beyond those that measure: for pages, which are answered at once,
// and for clients that are slow to send or to read.
constexpr int kSpareWorkers = 16;

bool TakesBody(const HttpRequest& head) {
  const std::string_view target = head.target;
  return head.method == "POST" &&
         target.substr(0, std::min(target.find('?'), target.size())) ==
             kBodyPath;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> ServeSource(
    std::string_view address, ProfileSource& source, SpawnThread spawn,
    const HttpOptions& options, const ConnectionLimits& limits) {
  auto handler = std::make_shared<HttpHandler>(source, options);
  Answering answering;
  answering.handle = [handler](const HttpRequest& request) {
    return handler->Handle(request);
  };
  answering.answer_head =
      [handler](const HttpRequest& head) -> std::optional<HttpResponse> {
    if (TakesBody(head)) return std::nullopt;
    return handler->Handle(head);
  };
  ServerOptions server_options;
  server_options.max_workers = options.max_measurements + kSpareWorkers;
  server_options.limits = limits;
  return ServeHandler(address, std::move(answering), std::move(spawn),
                      server_options);
}

}  // namespace wallprof::http
