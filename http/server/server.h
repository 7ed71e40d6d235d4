// The embedded server behind Serve(), for any source and any kind of thread.
#ifndef WALLPROF_HTTP_SERVER_SERVER_H_
#define WALLPROF_HTTP_SERVER_SERVER_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/server/thread_group.h"
#include "http/socket/connection.h"
#include "wallprof/http.h"

namespace wallprof::http {

// Serves `source`, which must outlive the server, on `address`, as Serve()
// does. Every thread is made by `spawn`, and every descriptor is opened, used
// and closed on those threads, whose descriptor table may be another one than
// the caller's.
absl::StatusOr<std::unique_ptr<Server>> ServeSource(
    std::string_view address, ProfileSource& source, SpawnThread spawn,
    const HttpOptions& options, const ConnectionLimits& limits = {});

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_SERVER_H_
