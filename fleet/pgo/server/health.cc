#include "fleet/pgo/server/health.h"

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/server/answer.h"

namespace wallprof::pgo {
namespace {

constexpr char kHealthy[] = "healthy";
constexpr char kUnhealthy[] = "unhealthy";

}  // namespace

// One check, on a thread of its own while it runs. Those who ask meanwhile
// share it: a dependency that does not answer has one thread wait for it, not
// one for every probe.
class Health::Dependency {
 public:
  Dependency(std::string name, std::function<absl::Status()> check)
      : name_(std::move(name)), check_(std::move(check)) {}
  ~Dependency() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !is_running_; });
  }

  const std::string& name() const { return name_; }

  // Has a check running from here on.
  void Begin();

  // How it went, if it ends by then.
  absl::Status Await(absl::Time deadline, absl::Duration patience);

 private:
  void Run();

  const std::string name_;
  const std::function<absl::Status()> check_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_running_ = false;
  absl::Status last_;
};

void Health::Dependency::Begin() {
  const std::lock_guard lock(mutex_);
  if (is_running_) return;
  try {
    std::thread([this] { Run(); }).detach();
    is_running_ = true;
  } catch (const std::system_error& error) {
    last_ = absl::ResourceExhaustedError(error.what());
  }
}

void Health::Dependency::Run() {
  absl::Status status;
  try {
    status = check_();
  } catch (const std::exception& error) {
    status = absl::InternalError(error.what());
  }
  const std::lock_guard lock(mutex_);
  last_ = std::move(status);
  is_running_ = false;
  // Under the lock: with it gone, so may this be.
  changed_.notify_all();
}

absl::Status Health::Dependency::Await(absl::Time deadline,
                                       absl::Duration patience) {
  std::unique_lock lock(mutex_);
  const bool has_ended = changed_.wait_until(lock, absl::ToChronoTime(deadline),
                                             [this] { return !is_running_; });
  if (has_ended) return last_;
  return absl::DeadlineExceededError(absl::StrCat(
      "there was no answer within ", absl::FormatDuration(patience)));
}

Health::Health(absl::Duration patience) : patience_(patience) {}
Health::~Health() = default;

void Health::Add(std::string name, std::function<absl::Status()> check) {
  dependencies_.push_back(
      std::make_unique<Dependency>(std::move(name), std::move(check)));
}

std::vector<absl::Status> Health::CheckAll() const {
  const absl::Time deadline = absl::Now() + patience_;
  for (const auto& dependency : dependencies_) dependency->Begin();
  std::vector<absl::Status> statuses;
  for (const auto& dependency : dependencies_) {
    statuses.push_back(dependency->Await(deadline, patience_));
  }
  return statuses;
}

HttpResponse Health::Respond() const {
  const std::vector<absl::Status> statuses = CheckAll();
  bool is_healthy = true;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (size_t i = 0; i < statuses.size(); ++i) {
    nlohmann::ordered_json one;
    one["name"] = dependencies_[i]->name();
    one["status"] = statuses[i].ok() ? kHealthy : kUnhealthy;
    if (!statuses[i].ok()) one["message"] = std::string(statuses[i].message());
    is_healthy = is_healthy && statuses[i].ok();
    list.push_back(std::move(one));
  }
  nlohmann::ordered_json all;
  all["status"] = is_healthy ? kHealthy : kUnhealthy;
  all["dependencies"] = std::move(list);
  return Reply(
      is_healthy ? 200 : 503,
      all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

absl::Status Health::Check() const {
  const std::vector<absl::Status> statuses = CheckAll();
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].ok()) continue;
    return absl::Status(
        statuses[i].code(),
        absl::StrCat(dependencies_[i]->name(), ": ", statuses[i].message()));
  }
  return absl::OkStatus();
}

serving::Route HealthApi::RouteOf(std::string_view,
                                  std::string_view path) const {
  if (path == kHealthPath) return {kHealthPath, serving::Scope::kNone};
  if (path == kReadyPath) return {kReadyPath, serving::Scope::kNone};
  return {"other", serving::Scope::kRead};
}

HttpResponse HealthApi::Handle(const HttpRequest& request) {
  const std::string_view path = PathOf(request.target);
  if (path != kHealthPath && path != kReadyPath) return NothingAt(path);
  if (request.method != "GET" && request.method != "HEAD") {
    return NotAllowed(request.method, "GET, HEAD");
  }
  return path == kHealthPath ? health_.Respond() : Reply(200, "{}");
}

HttpResponse HealthApi::Refusal(std::string_view, int status,
                                std::string_view sentence) const {
  return Problem(status, sentence);
}

}  // namespace wallprof::pgo
