#include "http/response.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace wallprof::http {

namespace {

// Most windows are seconds long, so that there is room again soon.
constexpr std::string_view kRetryAfterSeconds = "5";

// So that pprof shows its user what went wrong.
constexpr std::string_view kGoPprofVersion = "1";

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

}  // namespace

HttpResponse Content(std::string_view type, std::string body) {
  HttpResponse response;
  response.headers["Content-Type"] = std::string(type);
  response.headers["X-Content-Type-Options"] = "nosniff";
  response.headers["Cache-Control"] = "no-store";
  response.body = std::move(body);
  return response;
}

HttpResponse Failure(int status, std::string_view sentence) {
  HttpResponse response =
      Content(kPlainText, absl::StrCat(std::string(sentence), "\n"));
  response.status = status;
  response.headers.emplace("X-Go-Pprof", kGoPprofVersion);
  return response;
}

HttpResponse Busy(std::string_view sentence) {
  HttpResponse response = Failure(503, sentence);
  response.headers.emplace("Retry-After", kRetryAfterSeconds);
  return response;
}

std::string BytesOf(HttpResponse response) {
  response.headers["Connection"] = "close";
  response.headers["Content-Length"] = std::to_string(response.body.size());
  std::string bytes =
      absl::StrCat("HTTP/1.1 ", response.status, " ",
                   std::string(ReasonPhrase(response.status)), "\r\n");
  for (const auto& [name, value] : response.headers) {
    absl::StrAppend(&bytes, name, ": ", value, "\r\n");
  }
  absl::StrAppend(&bytes, "\r\n", response.body);
  return bytes;
}

}  // namespace wallprof::http
