#include "fleet/pgo/server/server.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/names.h"
#include "fleet/pgo/server/answer.h"
#include "http/query.h"
#include "http/response.h"

namespace wallprof::pgo {
namespace {

using fleet::LogLine;
using serving::Scope;

constexpr std::string_view kProfiles = "/api/profile";
constexpr std::string_view kProfilesSlash = "/api/profile/";

// What browsers and Go's builds call a base.
constexpr char kFileName[] = "attachment; filename=\"default.pgo\"";

constexpr char kIdHeader[] = "idempotency-key";

// An id is a time; a sender's clock and its patience are off by less.
constexpr absl::Duration kIdReach = absl::Hours(24);

bool IsReading(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

// The application of "/api/profile/shop"; nullopt for other paths.
std::optional<std::string_view> AppOf(std::string_view path) {
  if (path.substr(0, kProfilesSlash.size()) != kProfilesSlash) {
    return std::nullopt;
  }
  const std::string_view app = path.substr(kProfilesSlash.size());
  if (app.find('/') != std::string_view::npos) return std::nullopt;
  return app;
}

// The number that the sender calls the profile; 0 without one.
absl::StatusOr<int64_t> IdOf(const HttpRequest& request, absl::Time now) {
  const auto given = request.headers.find(kIdHeader);
  if (given == request.headers.end()) return 0;
  int64_t id = 0;
  if (!absl::SimpleAtoi(given->second, &id) ||
      absl::AbsDuration(absl::FromUnixNanos(id) - now) > kIdReach) {
    return absl::InvalidArgumentError(
        absl::StrCat("Idempotency-Key: ", http::Quoted(given->second),
                     " is no time of today in Unix nanoseconds"));
  }
  return id;
}

}  // namespace

class Server::State {
 public:
  State(BaseStore& store, EventWriter& events, const Health& health,
        serving::Metrics& metrics, ServerOptions options)
      : health(health),
        store_(store),
        events_(events),
        metrics_(metrics),
        options_(std::move(options)),
        accepting_(options_.accepting) {
    for (const char* result : {"staged", "refused", "too_large", "failed"}) {
      CountUpload(result, 0);
    }
  }

  HttpResponse HandleApp(const HttpRequest& request, std::string_view app,
                         http::Query query);
  HttpResponse List();

  absl::StatusOr<std::string> Take(const Upload& upload);

  const Health& health;

 private:
  HttpResponse HandleUpload(const HttpRequest& request, std::string_view app,
                            http::Query query);
  HttpResponse Download(std::string_view app);
  HttpResponse Describe(std::string_view app);
  HttpResponse Delete(std::string_view app);

  absl::StatusOr<AcceptedProfile> Accept(std::string_view body,
                                         std::string_view version);
  // What is not told now, the worker finds when it looks through everything.
  void Publish(const Event& event);
  void CountUpload(const char* result, int64_t count = 1);

  BaseStore& store_;
  EventWriter& events_;
  serving::Metrics& metrics_;
  const ServerOptions options_;
  std::counting_semaphore<> accepting_;
};

void Server::State::CountUpload(const char* result, int64_t count) {
  metrics_
      .AddCounter(absl::StrCat(kMetricsPrefix, "_uploads_total"),
                  "Profiles that were sent, by what became of them.",
                  {{"result", result}})
      .Add(count);
}

void Server::State::Publish(const Event& event) {
  const absl::Status published = events_.Publish(event);
  serving::Counter& failures = metrics_.AddCounter(
      absl::StrCat(kMetricsPrefix, "_unpublished_total"),
      "Events that the bus did not take; the worker finds what they are about "
      "when it looks through everything.",
      {{"type", event.type}});
  if (published.ok()) return;
  failures.Add();
  LogLine("pgo_event_not_published")
      .Add("type", event.type)
      .Add("app", event.app)
      .Add("error", std::string(published.message()))
      .To(options_.warn);
}

absl::StatusOr<AcceptedProfile> Server::State::Accept(
    std::string_view body, std::string_view version) {
  accepting_.acquire();
  auto accepted = AcceptProfile(body, version, options_.limits);
  accepting_.release();
  return accepted;
}

absl::StatusOr<std::string> Server::State::Take(const Upload& upload) {
  const auto accepted = Accept(upload.body, upload.version);
  if (!accepted.ok()) {
    const bool is_large = absl::IsResourceExhausted(accepted.status());
    CountUpload(is_large ? "too_large" : "refused");
    LogLine("pgo_profile_refused")
        .Add("app", upload.app)
        .Add("sender", upload.sender)
        .Add("why", std::string(accepted.status().message()))
        .To(options_.log);
    return is_large ? absl::OutOfRangeError(accepted.status().message())
                    : accepted.status();
  }
  auto key = store_.Stage(upload.app, accepted->bytes, upload.id);
  if (!key.ok()) {
    CountUpload("failed");
    LogLine("pgo_profile_not_staged")
        .Add("app", upload.app)
        .Add("error", std::string(key.status().message()))
        .To(options_.warn);
    return key;
  }
  CountUpload("staged");
  metrics_
      .AddCounter(absl::StrCat(kMetricsPrefix, "_staged_bytes_total"),
                  "Bytes of profiles that were staged.")
      .Add(static_cast<int64_t>(accepted->bytes.size()));
  LogLine("pgo_profile_staged")
      .Add("key", *key)
      .Add("version", accepted->version)
      .Add("bytes", static_cast<int64_t>(accepted->bytes.size()))
      .Add("samples", accepted->samples)
      .Add("cpu_ns", accepted->cpu_ns)
      .To(options_.log);
  Publish(NewEvent(kUploaded, upload.app, *key));
  return key;
}

HttpResponse Server::State::HandleUpload(const HttpRequest& request,
                                         std::string_view app,
                                         http::Query query) {
  const std::string version = query.Take("version").value_or("");
  if (absl::Status s = query.CheckAllTaken(); !s.ok()) return ProblemOf(s);
  const absl::Time now = options_.now ? options_.now() : absl::Now();
  const absl::StatusOr<int64_t> id = IdOf(request, now);
  if (!id.ok()) return ProblemOf(id.status());
  const auto key = Take({app, request.body, version, *id, request.peer});
  if (!key.ok()) return ProblemOf(key.status());
  return Reply(201, nlohmann::json({{"key", *key}}).dump());
}

HttpResponse Server::State::Download(std::string_view app) {
  auto bytes = store_.Download(app);
  if (!bytes.ok()) return ProblemOf(bytes.status());
  HttpResponse response =
      http::Content("application/octet-stream", *std::move(bytes));
  response.headers["Content-Disposition"] = kFileName;
  return response;
}

// To HEAD, without reading the base.
HttpResponse Server::State::Describe(std::string_view app) {
  const auto info = store_.Describe(app);
  if (!info.ok()) return ProblemOf(info.status());
  HttpResponse response = http::Content("application/octet-stream", "");
  response.headers["Content-Disposition"] = kFileName;
  return response;
}

HttpResponse Server::State::Delete(std::string_view app) {
  const absl::Status deleted = store_.Delete(app);
  if (!deleted.ok()) return ProblemOf(deleted);
  LogLine("pgo_deleted").Add("app", app).To(options_.log);
  Publish(NewEvent(kDeleted, app));
  return Reply(200, "{}");
}

HttpResponse Server::State::List() {
  const auto bases = store_.List();
  if (!bases.ok()) return ProblemOf(bases.status());
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const BaseInfo& base : *bases) {
    nlohmann::ordered_json one;
    one["key"] = base.app;
    one["size"] = base.bytes;
    one["lastModified"] = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ",
                                           base.modified, absl::UTCTimeZone());
    list.push_back(std::move(one));
  }
  return Reply(200, nlohmann::json({{"profiles", list}}).dump());
}

HttpResponse Server::State::HandleApp(const HttpRequest& request,
                                      std::string_view app, http::Query query) {
  if (!IsReading(request.method) && request.method != "POST" &&
      request.method != "DELETE") {
    return NotAllowed(request.method, "GET, HEAD, POST, DELETE");
  }
  if (absl::Status s = CheckApp(app); !s.ok()) return ProblemOf(s);
  if (request.method == "POST") {
    return HandleUpload(request, app, std::move(query));
  }
  if (absl::Status s = query.CheckAllTaken(); !s.ok()) return ProblemOf(s);
  if (request.method == "DELETE") return Delete(app);
  return request.method == "HEAD" ? Describe(app) : Download(app);
}

Server::Server(BaseStore& store, EventWriter& events, const Health& health,
               serving::Metrics& metrics, ServerOptions options)
    : state_(std::make_unique<State>(store, events, health, metrics,
                                     std::move(options))) {}
Server::~Server() = default;

absl::StatusOr<std::string> Server::Take(const Upload& upload) {
  return state_->Take(upload);
}

serving::Route Server::RouteOf(std::string_view method,
                               std::string_view path) const {
  if (path == kHealthPath || path == kReadyPath) {
    return HealthApi(state_->health).RouteOf(method, path);
  }
  serving::Route route = {"other", Scope::kRead};
  if (path == kProfiles) route.name = kProfiles;
  if (AppOf(path)) route.name = "/api/profile/__app__";
  if (method == "POST" || method == "PUT") route.scope = Scope::kWrite;
  if (method == "DELETE") route.scope = Scope::kAdmin;
  return route;
}

HttpResponse Server::Handle(const HttpRequest& request) {
  const std::string_view path = PathOf(request.target);
  if (path == kHealthPath || path == kReadyPath) {
    return HealthApi(state_->health).Handle(request);
  }
  const std::optional<std::string_view> app = AppOf(path);
  if (!app && path != kProfiles) return NothingAt(path);
  absl::StatusOr<http::Query> query =
      http::Query::Parse(QueryOf(request.target));
  if (!query.ok()) return ProblemOf(query.status());
  if (app) return state_->HandleApp(request, *app, *std::move(query));
  if (!IsReading(request.method)) {
    return NotAllowed(request.method, "GET, HEAD");
  }
  if (absl::Status s = query->CheckAllTaken(); !s.ok()) return ProblemOf(s);
  return state_->List();
}

HttpResponse Server::Refusal(std::string_view, int status,
                             std::string_view sentence) const {
  return Problem(status, sentence);
}

}  // namespace wallprof::pgo
