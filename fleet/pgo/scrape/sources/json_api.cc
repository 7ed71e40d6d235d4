#include "fleet/pgo/scrape/sources/json_api.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {
namespace {

// Five hundred pods with all that is known of each take some ten.
constexpr size_t kMaxAnswerBytes = size_t{64} << 20;

absl::Time SteadyNow() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

const Json* Find(const Json& json, std::initializer_list<const char*> names) {
  const Json* found = &json;
  for (const char* name : names) {
    if (!found->is_object()) return nullptr;
    const auto next = found->find(name);
    if (next == found->end()) return nullptr;
    found = &*next;
  }
  return found;
}

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 404:
      return absl::StatusCode::kNotFound;
    case 410:
      return absl::StatusCode::kOutOfRange;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

// Kubernetes' errors are JSON with a message.
std::string Words(fleet::TransferAnswer answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  const std::string message = TextAt(json, {"message"});
  if (!message.empty()) answer.body = message;
  return fleet::ErrorText(answer);
}

}  // namespace

Deadline::Deadline(absl::Duration duration) : end_(SteadyNow() + duration) {}

absl::Duration Deadline::Left() const { return end_ - SteadyNow(); }

JsonApi::JsonApi(std::string url, fleet::TransferOptions transfer,
                 const SourceOptions& options)
    : url_(std::move(url)), timeout_(options.request_timeout), transfer_([&] {
        transfer.cancelled = options.cancelled;
        return std::move(transfer);
      }()) {}

absl::StatusOr<Json> JsonApi::Get(
    const std::string& path, const std::map<std::string, std::string>& headers,
    const Deadline& deadline) {
  const std::string url = absl::StrCat(url_, path);
  // Without the query, which has more than people want to read.
  const auto failed = [&url](absl::StatusCode code, absl::string_view why) {
    return absl::Status(
        code, absl::StrCat(fleet::WithoutUser(url.substr(0, url.find('?'))),
                           ": ", why));
  };
  fleet::TransferRequest request;
  request.method = "GET";
  request.url = url;
  request.headers = headers;
  request.headers["Accept"] = "application/json";
  request.max_bytes = kMaxAnswerBytes;
  request.timeout = std::min(timeout_, deadline.Left());
  if (request.timeout <= absl::ZeroDuration()) {
    return failed(absl::StatusCode::kUnavailable,
                  "there was no time left to ask");
  }
  const auto answer = transfer_.Send(request);
  if (!answer.ok()) {
    return failed(answer.status().code(), answer.status().message());
  }
  if (answer->status != 200) {
    return failed(CodeOf(answer->status), Words(*answer));
  }
  Json json = Json::parse(answer->body, nullptr, false);
  if (json.is_discarded()) {
    return failed(absl::StatusCode::kUnavailable, "the answer is no JSON");
  }
  return json;
}

std::string TextAt(const Json& json, std::initializer_list<const char*> names) {
  const Json* found = Find(json, names);
  return found != nullptr && found->is_string() ? found->get<std::string>()
                                                : "";
}

const Json& ListAt(const Json& json, std::initializer_list<const char*> names) {
  static const Json& none = *new Json(Json::array());
  const Json* found = Find(json, names);
  return found != nullptr && found->is_structured() ? *found : none;
}

int64_t NumberAt(const Json& json, const char* name) {
  const Json* found = Find(json, {name});
  return found != nullptr && found->is_number_integer() ? found->get<int64_t>()
                                                        : 0;
}

}  // namespace wallprof::pgo
