#include "fleet/serving/front.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/serving/request_id.h"
#include "http/host_guard.h"
#include "http/response.h"

namespace wallprof::serving {
namespace {

constexpr std::string_view kHealth = "/health";
constexpr std::string_view kReady = "/ready";
constexpr std::string_view kMetrics = "/metrics";
// What those who come from profefe ask for.
constexpr std::string_view kOldMetrics = "/debug/metrics";

// In metrics and log lines, of requests that were not understood.
constexpr char kNotRead[] = "none";

std::string HeaderOf(const HttpRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

std::string_view PathOf(const HttpRequest& request) {
  const std::string_view target = request.target;
  return target.substr(0, std::min(target.find('?'), target.size()));
}

// Browsers say what language to answer in and where a page comes from; other
// clients hardly do.
bool IsOfBrowser(const HttpRequest& request) {
  for (const char* name :
       {"accept-language", "origin", "referer", "sec-fetch-site"}) {
    if (request.headers.count(name) > 0) return true;
  }
  return absl::StartsWith(HeaderOf(request, "user-agent"), "Mozilla/");
}

// The library lets a few methods through; of those that nobody serves, metrics
// need not know more.
std::string MethodName(const std::string& method) {
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "DELETE"}) {
    if (method == known) return method;
  }
  return "other";
}

bool IsGetOrHead(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

HttpResponse Sentence(int status, std::string_view sentence) {
  HttpResponse response =
      http::Content(http::kPlainText, std::string(sentence) + "\n");
  response.status = status;
  return response;
}

HttpResponse NotAllowed() {
  HttpResponse response = Sentence(405, "This path is for GET and HEAD.");
  response.headers["Allow"] = "GET, HEAD";
  return response;
}

}  // namespace

struct Front::Visit {
  std::chrono::steady_clock::time_point start;
  std::string id;
  std::string_view path;
  Route route;
  bool is_own = false;  // the front's, not the API's
};

Front::Front(Api& api, Metrics& metrics, EventLog& log, FrontOptions options)
    : api_(api),
      metrics_(metrics),
      log_(log),
      options_(std::move(options)),
      running_(metrics.AddGauge(
          absl::StrCat(options_.metrics_prefix, "_requests_running"),
          "Requests that are being answered.")) {}

http::Answering Front::MakeAnswering(size_t body_bytes) {
  http::Answering answering;
  answering.handle = [this](const HttpRequest& request) {
    return Handle(request);
  };
  answering.answer_head = [this](const HttpRequest& head) {
    return AnswerHead(head);
  };
  answering.refused = [this](int status) { CountRefused(status); };
  answering.refusal = [this](const HttpRequest& head, int status,
                             std::string_view sentence) {
    return api_.Refusal(PathOf(head), status, sentence);
  };
  answering.body_bytes = body_bytes;
  answering.takes_parts = true;
  return answering;
}

Front::Visit Front::Begin(const HttpRequest& request) const {
  Visit visit;
  visit.start = std::chrono::steady_clock::now();
  visit.id = HeaderOf(request, "x-request-id");
  if (!IsRequestId(visit.id)) visit.id = NewRequestId();
  visit.path = PathOf(request);
  visit.is_own = true;
  if (visit.path == kHealth) {
    visit.route = {kHealth, Scope::kNone};
  } else if (visit.path == kReady) {
    visit.route = {kReady, Scope::kNone};
  } else if (visit.path == kMetrics || visit.path == kOldMetrics) {
    visit.route = {kMetrics, Scope::kRead};
  } else {
    visit.is_own = false;
    visit.route = api_.RouteOf(request.method, visit.path);
  }
  return visit;
}

bool Front::IsHostRefused(const HttpRequest& head) const {
  // HTTP/1.0 has none; browsers do not speak it.
  const auto host = head.headers.find("host");
  if (host == head.headers.end()) return false;
  if (!options_.guards_all_hosts && !IsOfBrowser(head)) return false;
  return !http::IsAllowedHost(host->second, options_.allowed_hosts);
}

std::optional<HttpResponse> Front::Guard(const HttpRequest& head,
                                         const Visit& visit) const {
  if (IsHostRefused(head)) {
    return api_.Refusal(visit.path, 403,
                        "This host name is not served here; --allow-host "
                        "allows it.");
  }
  if (options_.tokens == nullptr) return std::nullopt;
  const Scope needed = visit.route.scope;
  HttpResponse response;
  switch (options_.tokens->Check(HeaderOf(head, "authorization"), needed)) {
    case TokenSet::Verdict::kAllowed:
      return std::nullopt;
    case TokenSet::Verdict::kMissing:
      response = api_.Refusal(visit.path, 401, "A bearer token is needed.");
      // A browser asks its user for the second.
      response.headers["WWW-Authenticate"] =
          "Bearer realm=\"wallprof\", Basic realm=\"wallprof\"";
      return response;
    case TokenSet::Verdict::kUnknown:
      response = api_.Refusal(visit.path, 401, "The token is not known.");
      response.headers["WWW-Authenticate"] =
          "Bearer realm=\"wallprof\", error=\"invalid_token\", "
          "Basic realm=\"wallprof\"";
      return response;
    case TokenSet::Verdict::kForbidden:
      break;
  }
  const std::string scope(NameOf(needed));
  response = api_.Refusal(
      visit.path, 403,
      absl::StrCat("The token is not for this; its scope must be ", scope,
                   needed == Scope::kAdmin ? "." : " or admin."));
  response.headers["WWW-Authenticate"] = absl::StrCat(
      "Bearer realm=\"wallprof\", error=\"insufficient_scope\", "
      "scope=\"",
      scope, "\"");
  return response;
}

HttpResponse Front::Ready() const {
  if (ending_.load()) return Sentence(503, "It is being ended.");
  const absl::Status ready =
      options_.ready ? options_.ready() : absl::OkStatus();
  if (ready.ok()) return Sentence(200, "ready");
  return Sentence(503, std::string(ready.message()));
}

std::optional<HttpResponse> Front::AnswerOwn(const HttpRequest& head,
                                             const Visit& visit) const {
  if (!visit.is_own) return std::nullopt;
  if (!IsGetOrHead(head)) return NotAllowed();
  if (visit.path == kHealth) return Sentence(200, "well");
  if (visit.path == kReady) return Ready();
  return http::Content(kMetricsType, metrics_.Text());
}

std::optional<HttpResponse> Front::AnswerHead(const HttpRequest& head) {
  const Visit visit = Begin(head);
  std::optional<HttpResponse> response = Guard(head, visit);
  if (!response) response = AnswerOwn(head, visit);
  if (response) End(head, visit, *response);
  return response;
}

HttpResponse Front::CallApi(const HttpRequest& request, const Visit& visit) {
  try {
    return api_.Handle(request);
  } catch (const std::exception& error) {
    log_.Error(fleet::LogLine("exception")
                   .Add("id", visit.id)
                   .Add("what", error.what()));
  }
  return api_.Refusal(visit.path, 500, "Something went wrong; see the log.");
}

HttpResponse Front::Handle(const HttpRequest& request) {
  const Visit visit = Begin(request);
  running_.Add(1);
  HttpResponse response = CallApi(request, visit);
  running_.Add(-1);
  End(request, visit, response);
  return response;
}

void Front::CountRefused(int status) {
  metrics_
      .AddCounter(absl::StrCat(options_.metrics_prefix, "_requests_total"),
                  "Requests answered.",
                  {{"method", kNotRead},
                   {"path", kNotRead},
                   {"code", absl::StrCat(status)}})
      .Add();
  log_.Info(fleet::LogLine("refused").Add("code", status));
}

void Front::End(const HttpRequest& request, const Visit& visit,
                HttpResponse& response) {
  response.headers["X-Request-Id"] = visit.id;
  const absl::Duration took =
      absl::FromChrono(std::chrono::steady_clock::now() - visit.start);
  const std::string& prefix = options_.metrics_prefix;
  MetricLabels labels = {{"method", MethodName(request.method)},
                         {"path", std::string(visit.route.name)}};
  metrics_
      .AddHistogram(absl::StrCat(prefix, "_request_size_bytes"),
                    "Size of requests' bodies.", SizeBounds(), labels)
      .Observe(static_cast<double>(request.body.size()));
  metrics_
      .AddHistogram(absl::StrCat(prefix, "_response_size_bytes"),
                    "Size of responses' bodies.", SizeBounds(), labels)
      .Observe(static_cast<double>(response.body.size()));
  labels.emplace_back("code", absl::StrCat(response.status));
  metrics_
      .AddHistogram(absl::StrCat(prefix, "_request_duration_seconds"),
                    "From a request's last byte to its response.",
                    DurationBounds(), labels)
      .Observe(absl::ToDoubleSeconds(took));
  metrics_
      .AddCounter(absl::StrCat(prefix, "_requests_total"), "Requests answered.",
                  labels)
      .Add();
  if (!log_.Takes(LogLevel::kInfo)) return;
  log_.Info(fleet::LogLine("request")
                .Add("id", visit.id)
                .Add("peer", request.peer)
                .Add("method", request.method)
                .Add("target", request.target)
                .Add("code", response.status)
                .Add("bytes_in", static_cast<int64_t>(request.body.size()))
                .Add("bytes_out", static_cast<int64_t>(response.body.size()))
                .Add("us", absl::ToInt64Microseconds(took)));
}

}  // namespace wallprof::serving
