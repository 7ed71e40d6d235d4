#include "fleet/collector/envelope.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "http/response.h"

namespace wallprof::collector {
namespace {

constexpr int kOk = 200;

// What is full or away may be back soon; a sender has its own, longer back-off.
constexpr char kRetryAfterSeconds[] = "5";

constexpr char kWarningHeader[] = "X-Wallprof-Warning";

// A header is one line.
std::string HeaderText(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return line;
}

std::string TextOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
      return 405;
    case absl::StatusCode::kOutOfRange:
      return 413;
    case absl::StatusCode::kAborted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kResourceExhausted:
      return 507;
    default:
      return 500;
  }
}

}  // namespace

HttpResponse ReplyText(std::string_view json, std::string_view warning) {
  std::string text = absl::StrCat("{\"code\":", kOk);
  if (!json.empty()) absl::StrAppend(&text, ",\"body\":", std::string(json));
  if (!warning.empty()) {
    absl::StrAppend(&text, ",\"warning\":", TextOf(Json(std::string(warning))));
  }
  absl::StrAppend(&text, "}\n");
  return http::Content(http::kJson, std::move(text));
}

HttpResponse Reply(Json body, std::string_view warning) {
  return ReplyText(TextOf(body), warning);
}

HttpResponse Bytes(std::string_view content_type, std::string_view filename,
                   std::string body, std::string_view warning) {
  HttpResponse response = http::Content(content_type, std::move(body));
  if (!filename.empty()) {
    response.headers["Content-Disposition"] =
        absl::StrCat("attachment; filename=\"", HeaderText(filename), "\"");
  }
  if (!warning.empty()) response.headers[kWarningHeader] = HeaderText(warning);
  return response;
}

HttpResponse Problem(int status, std::string_view text) {
  HttpResponse response = http::Content(
      http::kJson,
      absl::StrCat(TextOf({{"code", status}, {"error", std::string(text)}}),
                   "\n"));
  response.status = status;
  if (status == 429 || status == 503) {
    response.headers["Retry-After"] = kRetryAfterSeconds;
  }
  return response;
}

HttpResponse ProblemOf(const absl::Status& status) {
  const absl::string_view text = status.message();
  return Problem(CodeOf(status), {text.data(), text.size()});
}

}  // namespace wallprof::collector
