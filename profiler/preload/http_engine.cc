#include "profiler/preload/http_engine.h"

#include <utility>

#include "http/server/server.h"

#pragma GCC visibility push(default)

void wallprof_engine_serve(wallprof::HttpEngineRequest* request) {
  request->server =
      wallprof::http::ServeSource(request->address, *request->source,
                                  std::move(request->spawn), request->options);
}

#pragma GCC visibility pop
