// Responses: an HttpResponse of each kind that the handler gives.
#ifndef WALLPROF_HTTP_RESPONSE_H_
#define WALLPROF_HTTP_RESPONSE_H_

#include <string>
#include <string_view>

#include "wallprof/http.h"

namespace wallprof::http {

inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
inline constexpr std::string_view kHtml = "text/html; charset=utf-8";
inline constexpr std::string_view kJson = "application/json";

// 200. Nothing served here may be cached or taken for another type.
HttpResponse Content(std::string_view type, std::string body);

// `sentence` as plain text, marked so that Go's tools show it to their user.
HttpResponse Failure(int status, std::string_view sentence);

// 503 for a client that had better come again later.
HttpResponse Busy(std::string_view sentence);

// A whole response in bytes, after which the connection is closed: for those
// that never reach the handler, as there are too many of them or their request
// is too large or too late.
std::string BytesOf(HttpResponse response);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_RESPONSE_H_
