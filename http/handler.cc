#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "http/comparison.h"
#include "http/host_guard.h"
#include "http/measurement.h"
#include "http/pages/bundle_page.h"
#include "http/pages/cmdline_page.h"
#include "http/pages/index_page.h"
#include "http/pages/metrics_page.h"
#include "http/pages/recording_page.h"
#include "http/pages/stats_page.h"
#include "http/pages/symbol_page.h"
#include "http/pages/threads_page.h"
#include "http/query.h"
#include "http/response.h"
#include "http/slot.h"
#include "wallprof/http.h"

namespace wallprof {

using http::Comparison;
using http::Content;
using http::Failure;
using http::Measurement;
using http::MeasurementDefaults;
using http::Query;

namespace {

// What Go serves where a request does not say.
constexpr absl::Duration kPprofSeconds = absl::Seconds(30);

std::string HeaderOf(const HttpRequest& request, const std::string& name) {
  auto it = request.headers.find(name);
  return it == request.headers.end() ? std::string() : it->second;
}

HttpResponse FailureOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Failure(400, std::string(status.message()));
    case absl::StatusCode::kNotFound:
      return Failure(404, std::string(status.message()));
    case absl::StatusCode::kCancelled:
      return Failure(503,
                     "The measurement ended early: the client left or the "
                     "profiler stopped.");
    default:
      return Failure(500, status.ToString());
  }
}

// Which of a page's two forms a request wants; text unless it asks for JSON.
absl::StatusOr<bool> WantsJson(const HttpRequest& request,
                               std::string_view query_text) {
  absl::StatusOr<Query> query = Query::Parse(query_text);
  if (!query.ok()) return query.status();
  std::optional<std::string> format = query->Take("format");
  if (absl::Status left = query->CheckAllTaken(); !left.ok()) return left;
  if (!format.has_value()) {
    return absl::StrContains(
        HeaderOf(request, "accept"),
        absl::string_view(http::kJson.data(), http::kJson.size()));
  }
  if (*format == "json" || *format == "text") return *format == "json";
  return absl::InvalidArgumentError(
      absl::StrCat("Parameter 'format' must be text or json here, not ",
                   http::Quoted(*format), "."));
}

// For pages that no parameter changes.
absl::Status CheckNoParameters(std::string_view query_text) {
  absl::StatusOr<Query> query = Query::Parse(query_text);
  return query.ok() ? query->CheckAllTaken() : query.status();
}

}  // namespace

class HttpHandler::State {
 public:
  State(ProfileSource& source, const HttpOptions& options)
      : source_(source), options_(options) {}

  HttpResponse Answer(const HttpRequest& request);

 private:
  // `query` is what follows the target's '?', as it came.
  using Page = absl::StatusOr<HttpResponse> (State::*)(
      const HttpRequest& request, std::string_view query);

  struct Route {
    std::string_view path;
    Page page;
    bool takes_post = false;
  };
  static const Route kRoutes[];

  absl::StatusOr<HttpResponse> Root(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Wall(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Cpu(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Compare(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Threads(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Recording(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Stats(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Metrics(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> PprofIndex(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> CommandLine(const HttpRequest&,
                                           std::string_view);
  absl::StatusOr<HttpResponse> Symbol(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Bundle(const HttpRequest&, std::string_view);
  absl::StatusOr<HttpResponse> Variables(const HttpRequest&, std::string_view);

  absl::StatusOr<HttpResponse> Measure(const HttpRequest& request,
                                       std::string_view query,
                                       const MeasurementDefaults& defaults);
  absl::StatusOr<Profile> Collect(const HttpRequest& request,
                                  const Measurement& measurement);

  // Where a request names none.
  View DefaultView() {
    return source_.Stats().cpu_only ? View::kCpu : View::kWall;
  }

  // The response of `measure`, unless as many measure as may at once.
  absl::StatusOr<HttpResponse> InSlot(
      const std::function<absl::StatusOr<HttpResponse>()>& measure);

  ProfileSource& source_;
  const HttpOptions options_;
  std::atomic<int> measuring_{0};
  std::atomic<int64_t> refused_{0};
};

const HttpHandler::State::Route HttpHandler::State::kRoutes[] = {
    {"/", &State::Root},
    {"/diff", &State::Compare},
    {"/threads", &State::Threads},
    {"/recording", &State::Recording},
    {"/stats", &State::Stats},
    {"/metrics", &State::Metrics},
    {"/debug/fgprof", &State::Wall},
    {"/debug/pprof/", &State::PprofIndex},
    {"/debug/pprof/wall", &State::Wall},
    {"/debug/pprof/profile", &State::Cpu},
    {"/debug/pprof/cmdline", &State::CommandLine},
    {"/debug/pprof/symbol", &State::Symbol, /*takes_post=*/true},
    {"/debug/profiles", &State::Bundle},
    {"/debug/vars", &State::Variables},
};

HttpResponse HttpHandler::State::Answer(const HttpRequest& request) {
  // Without a Host header no browser sent this; HTTP/1.0 tools do so.
  std::string host = HeaderOf(request, "host");
  if (!host.empty() && !http::IsAllowedHost(host, options_.allowed_hosts)) {
    return Failure(403, absl::StrCat("Host ", http::Quoted(host),
                                     " is neither an IP address nor localhost "
                                     "nor among the allowed names."));
  }
  std::string_view target = request.target;
  size_t mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  const Route* route =
      std::find_if(std::begin(kRoutes), std::end(kRoutes),
                   [path](const Route& each) { return each.path == path; });
  if (route == std::end(kRoutes)) {
    return Failure(404,
                   absl::StrCat("There is no ", http::Quoted(path), " here."));
  }
  if (request.method != "GET" && request.method != "HEAD" &&
      !(request.method == "POST" && route->takes_post)) {
    HttpResponse refusal =
        Failure(405, absl::StrCat("Method ", http::Quoted(request.method),
                                  " is not allowed here."));
    refusal.headers["Allow"] =
        route->takes_post ? "GET, HEAD, POST" : "GET, HEAD";
    return refusal;
  }
  std::string_view query = target.substr(std::min(mark + 1, target.size()));
  absl::StatusOr<HttpResponse> response = (this->*route->page)(request, query);
  return response.ok() ? *std::move(response) : FailureOf(response.status());
}

absl::StatusOr<HttpResponse> HttpHandler::State::Root(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<Query> parameters = Query::Parse(query);
  if (parameters.ok() && parameters->empty()) {
    return http::IndexPage(HeaderOf(request, "host"), request.mount_point);
  }
  MeasurementDefaults defaults;
  defaults.view = DefaultView();
  return Measure(request, query, defaults);
}

absl::StatusOr<HttpResponse> HttpHandler::State::Wall(
    const HttpRequest& request, std::string_view query) {
  return Measure(request, query, {kPprofSeconds, View::kWall, Format::kPprof});
}

absl::StatusOr<HttpResponse> HttpHandler::State::Cpu(const HttpRequest& request,
                                                     std::string_view query) {
  return Measure(request, query, {kPprofSeconds, View::kCpu, Format::kPprof});
}

absl::StatusOr<HttpResponse> HttpHandler::State::Measure(
    const HttpRequest& request, std::string_view query,
    const MeasurementDefaults& defaults) {
  absl::StatusOr<Query> parameters = Query::Parse(query);
  if (!parameters.ok()) return parameters.status();
  absl::StatusOr<Measurement> measurement = http::ParseMeasurement(
      *std::move(parameters), defaults, options_.max_seconds, absl::Now());
  if (!measurement.ok()) return measurement.status();
  if (absl::Status status = http::CheckOffered(*measurement, source_.Stats());
      !status.ok()) {
    return status;
  }
  if (request.method == "HEAD") return http::MeasurementHeaders(*measurement);
  return InSlot([&]() -> absl::StatusOr<HttpResponse> {
    absl::StatusOr<Profile> profile = Collect(request, *measurement);
    if (!profile.ok()) return profile.status();
    return http::EncodeMeasurement(*profile, *measurement);
  });
}

absl::StatusOr<HttpResponse> HttpHandler::State::Compare(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<Query> parameters = Query::Parse(query);
  if (!parameters.ok()) return parameters.status();
  absl::StatusOr<Comparison> comparison = http::ParseComparison(
      *std::move(parameters), DefaultView(), options_.max_seconds, absl::Now());
  if (!comparison.ok()) return comparison.status();
  if (absl::Status status = http::CheckOffered(*comparison, source_.Stats());
      !status.ok()) {
    return status;
  }
  if (request.method == "HEAD") {
    return http::MeasurementHeaders(comparison->window);
  }
  return InSlot([&]() -> absl::StatusOr<HttpResponse> {
    absl::StatusOr<Profile> first = Collect(request, comparison->window);
    if (!first.ok()) return first.status();
    if (!comparison->has_two_windows()) {
      return http::EncodeComparison(*first, *first, *comparison);
    }
    absl::StatusOr<Profile> second = Collect(request, comparison->window);
    if (!second.ok()) return second.status();
    return http::EncodeComparison(*first, *second, *comparison);
  });
}

absl::StatusOr<HttpResponse> HttpHandler::State::InSlot(
    const std::function<absl::StatusOr<HttpResponse>()>& measure) {
  http::Slot slot(measuring_);
  if (slot.number() >= options_.max_measurements) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return http::Busy(absl::StrCat("As many requests measure as may at once, ",
                                   options_.max_measurements, "."));
  }
  return measure();
}

absl::StatusOr<Profile> HttpHandler::State::Collect(
    const HttpRequest& request, const Measurement& measurement) {
  CollectOptions options;
  options.frequency_hz = measurement.frequency_hz;
  options.view = measurement.view;
  options.cancelled = request.client_gone;
  options.detail = measurement.detail;
  const std::optional<http::PastWindow>& past = measurement.past;
  return past ? source_.Past(past->from, past->to,
                             {measurement.view, measurement.slices})
              : source_.Collect(measurement.duration, options);
}

absl::StatusOr<HttpResponse> HttpHandler::State::Threads(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<bool> json = WantsJson(request, query);
  if (!json.ok()) return json.status();
  std::vector<ThreadInfo> threads = source_.Threads();
  absl::Time now = absl::Now();
  return *json ? Content(http::kJson, http::ThreadsJson(threads, now))
               : Content(http::kPlainText, http::ThreadsText(threads, now));
}

absl::StatusOr<HttpResponse> HttpHandler::State::Recording(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<bool> json = WantsJson(request, query);
  if (!json.ok()) return json.status();
  absl::StatusOr<Recorded> recorded = source_.DescribeRecorded();
  if (!recorded.ok()) return recorded.status();
  return *json ? Content(http::kJson, http::RecordingJson(*recorded))
               : Content(http::kPlainText, http::RecordingText(*recorded));
}

absl::StatusOr<HttpResponse> HttpHandler::State::Stats(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<bool> json = WantsJson(request, query);
  if (!json.ok()) return json.status();
  Statistics stats = source_.Stats();
  return *json ? Content(http::kJson, http::StatsJson(stats))
               : Content(http::kPlainText, http::StatsText(stats));
}

absl::StatusOr<HttpResponse> HttpHandler::State::Metrics(
    const HttpRequest&, std::string_view query) {
  if (absl::Status status = CheckNoParameters(query); !status.ok()) {
    return status;
  }
  http::HandlerCounts counts;
  counts.measuring = measuring_.load(std::memory_order_relaxed);
  counts.refused = refused_.load(std::memory_order_relaxed);
  return Content(http::kMetricsType,
                 http::MetricsText(source_.Stats(), counts));
}

absl::StatusOr<HttpResponse> HttpHandler::State::PprofIndex(
    const HttpRequest&, std::string_view query) {
  if (absl::Status status = CheckNoParameters(query); !status.ok()) {
    return status;
  }
  return http::PprofIndexPage();
}

absl::StatusOr<HttpResponse> HttpHandler::State::CommandLine(
    const HttpRequest&, std::string_view query) {
  if (absl::Status status = CheckNoParameters(query); !status.ok()) {
    return status;
  }
  return Content(http::kPlainText, http::CommandLine());
}

// Its query is the addresses themselves and has no parameters.
absl::StatusOr<HttpResponse> HttpHandler::State::Symbol(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<std::string> names = http::SymbolText(
      request.method == "POST" ? std::string_view(request.body) : query);
  if (!names.ok()) return names.status();
  return Content(http::kPlainText, *std::move(names));
}

absl::StatusOr<HttpResponse> HttpHandler::State::Bundle(
    const HttpRequest& request, std::string_view query) {
  absl::StatusOr<absl::Duration> profile =
      http::ParseBundleQuery(query, options_.max_seconds);
  if (!profile.ok()) return profile.status();
  if (request.method == "HEAD") {
    return http::BundleHeaders(options_.bundle.identity, absl::Now());
  }
  return InSlot([&] {
    BundleOptions options = options_.bundle;
    options.profile = *profile;
    options.cancelled = request.client_gone;
    return http::BundleResponse(source_, options);
  });
}

absl::StatusOr<HttpResponse> HttpHandler::State::Variables(
    const HttpRequest&, std::string_view query) {
  if (absl::Status status = CheckNoParameters(query); !status.ok()) {
    return status;
  }
  return http::VariablesPage();
}

HttpHandler::HttpHandler(ProfileSource& source, const HttpOptions& options)
    : state_(std::make_unique<State>(source, options)) {}

HttpHandler::~HttpHandler() = default;

HttpResponse HttpHandler::Handle(const HttpRequest& request) {
  HttpResponse response = state_->Answer(request);
  if (request.method == "HEAD") response.body.clear();
  return response;
}

}  // namespace wallprof
