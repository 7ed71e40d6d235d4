#include "cli/self_profile.h"

#include <utility>

namespace wallprof::cli {
namespace {

constexpr std::string_view kDebug = "/debug/";

bool IsDebug(std::string_view path) {
  return path.substr(0, kDebug.size()) == kDebug;
}

}  // namespace

SelfProfile::SelfProfile(serving::Api& api) : api_(api) {
  absl::StatusOr<std::unique_ptr<Profiler>> profiler = Profiler::Start();
  status_ = profiler.status();
  if (!status_.ok()) return;
  profiler_ = *std::move(profiler);
  source_ = SourceOf(*profiler_);
  handler_ = std::make_unique<HttpHandler>(*source_);
}

SelfProfile::~SelfProfile() = default;

serving::Route SelfProfile::RouteOf(std::string_view method,
                                    std::string_view path) const {
  if (!IsDebug(path)) return api_.RouteOf(method, path);
  return {kDebug, serving::Scope::kAdmin};
}

HttpResponse SelfProfile::Handle(const HttpRequest& request) {
  if (!IsDebug(request.target)) return api_.Handle(request);
  if (handler_ != nullptr) return handler_->Handle(request);
  return http::Failure(503, std::string(status_.message()));
}

HttpResponse SelfProfile::Refusal(std::string_view path, int status,
                                  std::string_view sentence) const {
  return IsDebug(path) ? http::Failure(status, sentence)
                       : api_.Refusal(path, status, sentence);
}

}  // namespace wallprof::cli
