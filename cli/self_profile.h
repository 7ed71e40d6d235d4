// Where a daemon's own time goes: the profiler over HTTP, below /debug/, beside
// what the daemon serves.
#ifndef WALLPROF_CLI_SELF_PROFILE_H_
#define WALLPROF_CLI_SELF_PROFILE_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "fleet/serving/api.h"
#include "wallprof/http.h"
#include "wallprof/profiler.h"

namespace wallprof::cli {

// Serves `api` and, to those who may do everything, the profile of this
// process. Thread-safe.
class SelfProfile : public serving::Api {
 public:
  // `api` must outlive this. Where this process cannot be profiled, status()
  // says why and /debug/ answers 503.
  explicit SelfProfile(serving::Api& api);
  ~SelfProfile() override;

  const absl::Status& status() const { return status_; }

  serving::Route RouteOf(std::string_view method,
                         std::string_view path) const override;
  HttpResponse Handle(const HttpRequest& request) override;
  HttpResponse Refusal(std::string_view path, int status,
                       std::string_view sentence) const override;

 private:
  serving::Api& api_;
  absl::Status status_;
  std::unique_ptr<Profiler> profiler_;
  std::unique_ptr<ProfileSource> source_;
  std::unique_ptr<HttpHandler> handler_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_SELF_PROFILE_H_
