#include "fleet/pgo/server/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "http/query.h"
#include "http/response.h"

namespace wallprof::pgo {
namespace {

// Senders have their own, longer back-off.
constexpr char kRetryAfterSeconds[] = "5";

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kOutOfRange:
      return 413;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return 503;
    case absl::StatusCode::kResourceExhausted:
      return 507;
    default:
      return 500;
  }
}

}  // namespace

HttpResponse Reply(int status, std::string_view json) {
  HttpResponse response =
      http::Content(http::kJson, absl::StrCat(std::string(json), "\n"));
  response.status = status;
  return response;
}

HttpResponse Problem(int status, std::string_view message) {
  nlohmann::ordered_json json;
  json["message"] = std::string(message);
  json["code"] = status;
  HttpResponse response = Reply(
      status,
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (status == 503) {
    response.headers.emplace("Retry-After", kRetryAfterSeconds);
  }
  return response;
}

HttpResponse ProblemOf(const absl::Status& status) {
  return Problem(CodeOf(status), std::string(status.message()));
}

HttpResponse NotAllowed(std::string_view method, std::string_view allowed) {
  HttpResponse response = Problem(
      405,
      absl::StrCat("method ", http::Quoted(method), " is not allowed here"));
  response.headers["Allow"] = std::string(allowed);
  return response;
}

HttpResponse NothingAt(std::string_view path) {
  return Problem(404, absl::StrCat("there is nothing at ", http::Quoted(path)));
}

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string_view QueryOf(std::string_view target) {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

}  // namespace wallprof::pgo
