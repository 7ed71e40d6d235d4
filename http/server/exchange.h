// One HTTP request and its response over a connection.
//
// cpp-httplib reads the one and writes the other. What it does not bound is
// bounded before it: it gets a whole head of limited size, without the headers
// that would set it to work of its own, and its regular expressions match
// nothing that a client chooses.
#ifndef WALLPROF_HTTP_SERVER_EXCHANGE_H_
#define WALLPROF_HTTP_SERVER_EXCHANGE_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "http/socket/connection.h"
#include "wallprof/http.h"

namespace wallprof::http {

class Exchange {
 public:
  // `handler` must outlive the result. FailedPrecondition if the program's own
  // copy of cpp-httplib stands before the one that this was compiled for.
  static absl::StatusOr<std::unique_ptr<Exchange>> Create(HttpHandler& handler);

  virtual ~Exchange() = default;

  // Reads a request, has it handled, and sends the response. `is_stopping`
  // ends a measurement early, as does the client by leaving. Thread-safe.
  virtual void Answer(Connection& connection,
                      const std::function<bool()>& is_stopping) = 0;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_EXCHANGE_H_
