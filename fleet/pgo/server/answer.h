// How the components answer: JSON, and errors as autopgo has them,
// {"message":"...","code":N}.
#ifndef WALLPROF_FLEET_PGO_SERVER_ANSWER_H_
#define WALLPROF_FLEET_PGO_SERVER_ANSWER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "wallprof/http.h"

namespace wallprof::pgo {

// `json` is a JSON value's text.
HttpResponse Reply(int status, std::string_view json);

HttpResponse Problem(int status, std::string_view message);

// What an engine's status comes to: InvalidArgument is 400, NotFound 404,
// OutOfRange 413 (too large), ResourceExhausted 507 (there is no room),
// Unavailable and Aborted 503, all else 500.
HttpResponse ProblemOf(const absl::Status& status);

// 405 where `allowed`, "GET, HEAD", are the methods that there are.
HttpResponse NotAllowed(std::string_view method, std::string_view allowed);

// 404 of a path.
HttpResponse NothingAt(std::string_view path);

// A request's target up to its query, and the query.
std::string_view PathOf(std::string_view target);
std::string_view QueryOf(std::string_view target);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SERVER_ANSWER_H_
