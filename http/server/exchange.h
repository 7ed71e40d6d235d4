// One HTTP request and its response over a connection.
//
// cpp-httplib reads the one and writes the other. What it does not bound is
// bounded before it: it gets a whole head of limited size, without the headers
// that would set it to work of its own, and its regular expressions match
// nothing that a client chooses.
#ifndef WALLPROF_HTTP_SERVER_EXCHANGE_H_
#define WALLPROF_HTTP_SERVER_EXCHANGE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/socket/connection.h"
#include "wallprof/http.h"

namespace wallprof::http {

// What a server asks of those who serve something. Called on several threads
// at once.
struct Answering {
  // The response to a whole request.
  std::function<HttpResponse(const HttpRequest&)> handle;

  // The response to a request by its head alone, whose body then is not read;
  // nullopt: `handle` is to have it, with the body. May be asked twice about a
  // request, and may be empty.
  std::function<std::optional<HttpResponse>(const HttpRequest& head)>
      answer_head;

  // Told the status of each response that is the server's own: the request was
  // not understood, or was too large or too late. May be empty.
  std::function<void(int status)> refused;

  // The response to a request whose head was understood but whose body is not
  // taken: too large, or not clear where it ends. Empty: a sentence of text.
  std::function<HttpResponse(const HttpRequest& head, int status,
                             std::string_view sentence)>
      refusal;

  // Of a body, also once it is unpacked: a compressed one could grow a
  // thousandfold. More is answered 413.
  size_t body_bytes = size_t{1} << 20;

  // Whether a multipart body is handed over as it came, its parts together.
  // Otherwise it is answered 415.
  bool takes_parts = false;
};

class Exchange {
 public:
  // FailedPrecondition if the program's own copy of cpp-httplib stands before
  // the one that this was compiled for.
  static absl::StatusOr<std::unique_ptr<Exchange>> Create(Answering answering);

  virtual ~Exchange() = default;

  // Reads a request, has it handled, and sends the response. `is_stopping`
  // ends a measurement early, as does the client by leaving. Thread-safe.
  virtual void Answer(Connection& connection,
                      const std::function<bool()>& is_stopping) = 0;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_EXCHANGE_H_
