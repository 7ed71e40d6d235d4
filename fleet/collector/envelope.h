// How the collector answers: profefe's envelope around JSON,
// {"code": 200, "body": ..., "error": "...", "warning": "..."}, or bytes.
#ifndef WALLPROF_FLEET_COLLECTOR_ENVELOPE_H_
#define WALLPROF_FLEET_COLLECTOR_ENVELOPE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "fleet/bundle/json.h"
#include "wallprof/http.h"

namespace wallprof::collector {

using bundle::Json;

// 200 with `body`. A warning says what of it is missing; empty: nothing.
HttpResponse Reply(Json body, std::string_view warning = "");

// The same where the body is JSON text already.
HttpResponse ReplyText(std::string_view json, std::string_view warning);

// 200 with bytes that a browser saves as `filename`, if it is not empty. A
// warning is the header X-Wallprof-Warning.
HttpResponse Bytes(std::string_view content_type, std::string_view filename,
                   std::string body, std::string_view warning = "");

HttpResponse Problem(int status, std::string_view text);

// What a status comes to: InvalidArgument is 400, NotFound 404,
// FailedPrecondition 405 (what is asked for cannot be had of this), OutOfRange
// 413 (too large), Aborted 429 (too many at once), ResourceExhausted 507 (the
// store is full), Unavailable 503, Cancelled 499 (nobody reads it), all else
// 500.
HttpResponse ProblemOf(const absl::Status& status);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_ENVELOPE_H_
