// The HTTP half of the engine, in a shared object of its own: it brings eight
// more libraries (TLS and compression, needed by cpp-httplib), which take as
// long to load as all the rest, so that it is loaded only to listen.
#ifndef WALLPROF_PROFILER_PRELOAD_HTTP_ENGINE_H_
#define WALLPROF_PROFILER_PRELOAD_HTTP_ENGINE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wallprof/http.h"

namespace wallprof {

struct HttpEngineRequest {
  std::string address;
  HttpOptions options;
  ProfileSource* source;  // must outlive the server
  std::function<absl::Status(const std::string& name,
                             std::function<void()> body)>
      spawn;
  // Set by the call.
  absl::StatusOr<std::unique_ptr<Server>> server;
};

}  // namespace wallprof

// Serves as Serve() does. Found by name.
extern "C" void wallprof_engine_serve(wallprof::HttpEngineRequest* request);

#endif  // WALLPROF_PROFILER_PRELOAD_HTTP_ENGINE_H_
