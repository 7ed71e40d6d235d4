#include "fleet/collector/collector.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/collector/context.h"
#include "fleet/collector/envelope.h"
#include "fleet/collector/home_page.h"
#include "fleet/collector/profile_pages.h"
#include "fleet/collector/profile_type.h"
#include "fleet/collector/pyroscope.h"
#include "fleet/collector/sum_pages.h"
#include "http/query.h"
#include "http/response.h"

namespace wallprof::collector {
namespace {

using Answer = absl::StatusOr<HttpResponse> (*)(Context&);

absl::StatusOr<HttpResponse> AnswerVersion(Context& context) {
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  Json types = Json::array();
  for (const std::string_view type : kProfileTypes) {
    types.push_back(std::string(type));
  }
  return Reply({{"version", context.version.version},
                {"commit", context.version.commit},
                {"build_time", context.version.build_time},
                // Of the language that profefe's is written in.
                {"go_version", ""},
                {"types", std::move(types)}});
}

// A path and what is done there. One that ends in '/' has something behind it,
// but for the root.
struct Entry {
  std::string_view path;
  std::string_view name;  // for metrics
  Answer get = nullptr;
  Answer post = nullptr;
  Answer remove = nullptr;
};

constexpr std::string_view kVersionPath = "/api/0/version";

constexpr Entry kEntries[] = {
    {"/", "/", AnswerHome},
    {"/ingest", "/ingest", nullptr, AnswerPyroscopeIngest},
    {"/api/0/profiles", "/api/0/profiles", AnswerList, AnswerUpload},
    {"/api/0/profiles/merge", "/api/0/profiles/merge", AnswerMerge},
    {"/api/0/profiles/", "/api/0/profiles/__id__", AnswerProfile, nullptr,
     AnswerDelete},
    // As the first version had it: what is found is added up at once.
    {"/api/0/profile", "/api/0/profile", AnswerMerge, AnswerUpload},
    {"/api/0/services", "/api/0/services", AnswerServices},
    {kVersionPath, kVersionPath, AnswerVersion},
    {"/api/0/labels", "/api/0/labels", AnswerLabelNames},
    {"/api/0/labels/", "/api/0/labels/__name__", AnswerLabelValues},
    {"/api/0/series", "/api/0/series", AnswerSeries},
    {"/api/0/top", "/api/0/top", AnswerTop},
    {"/api/0/flamegraph", "/api/0/flamegraph", AnswerFlameGraph},
    {"/api/0/diff", "/api/0/diff", AnswerDiff},
};

std::string_view PathOf(const HttpRequest& request) {
  const std::string_view target = request.target;
  return target.substr(0, target.find('?'));
}

std::string_view QueryOf(const HttpRequest& request) {
  const std::string_view target = request.target;
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

const Entry* Find(std::string_view path) {
  for (const Entry& entry : kEntries) {
    if (entry.path == path) return &entry;
  }
  for (const Entry& entry : kEntries) {
    if (entry.path.size() > 1 && entry.path.back() == '/' &&
        path.substr(0, entry.path.size()) == entry.path) {
      return &entry;
    }
  }
  return nullptr;
}

Answer AnswerOf(const Entry& entry, std::string_view method) {
  if (method == "GET" || method == "HEAD") return entry.get;
  if (method == "POST") return entry.post;
  if (method == "DELETE") return entry.remove;
  return nullptr;
}

std::string AllowedAt(const Entry& entry) {
  std::string allowed;
  const auto add = [&allowed](Answer answer, const char* methods) {
    if (answer == nullptr) return;
    absl::StrAppend(&allowed, allowed.empty() ? "" : ", ", methods);
  };
  add(entry.get, "GET, HEAD");
  add(entry.post, "POST");
  add(entry.remove, "DELETE");
  return allowed;
}

}  // namespace

class Collector::State {
 public:
  State(store::ProfileStore& store, const CollectorOptions& options)
      : options_(options),
        shared_{store, options.limits, Ingest(store, options.limits)} {}

  HttpResponse Handle(const HttpRequest& request);

 private:
  const CollectorOptions options_;
  Shared shared_;
};

Collector::Collector(store::ProfileStore& store,
                     const CollectorOptions& options)
    : state_(std::make_unique<State>(store, options)) {}
Collector::~Collector() = default;

serving::Route Collector::RouteOf(std::string_view method,
                                  std::string_view path) const {
  const Entry* entry = Find(path);
  serving::Route route;
  route.name = entry == nullptr ? "other" : entry->name;
  route.scope = serving::Scope::kRead;
  // Agents, whose tokens read nothing, ask for it before they send.
  if (route.name == kVersionPath) route.scope = serving::Scope::kNone;
  if (method == "POST" || method == "PUT") route.scope = serving::Scope::kWrite;
  if (method == "DELETE") route.scope = serving::Scope::kAdmin;
  return route;
}

HttpResponse Collector::Refusal(std::string_view path, int status,
                                std::string_view sentence) const {
  return path == "/" ? http::Failure(status, sentence)
                     : Problem(status, sentence);
}

HttpResponse Collector::Handle(const HttpRequest& request) {
  return state_->Handle(request);
}

HttpResponse Collector::State::Handle(const HttpRequest& request) {
  const std::string_view path = PathOf(request);
  const Entry* entry = Find(path);
  if (entry == nullptr) {
    return Problem(404, absl::StrCat("there is nothing at ",
                                     http::Quoted(std::string(path))));
  }
  const Answer answer = AnswerOf(*entry, request.method);
  if (answer == nullptr) {
    HttpResponse response =
        Problem(405, absl::StrCat("method ", http::Quoted(request.method),
                                  " is not allowed here"));
    response.headers["Allow"] = AllowedAt(*entry);
    return response;
  }
  absl::StatusOr<http::Query> parameters = http::Query::Parse(QueryOf(request));
  if (!parameters.ok()) {
    return Problem(
        400, absl::StrCat("bad request: ", parameters.status().message()));
  }
  Context context{shared_,
                  request,
                  *std::move(parameters),
                  path.substr(std::min(path.size(), entry->path.size())),
                  options_.now ? options_.now() : absl::Now(),
                  options_.version};
  absl::StatusOr<HttpResponse> response = answer(context);
  return response.ok() ? *std::move(response) : ProblemOf(response.status());
}

}  // namespace wallprof::collector
