#include "http/server/exchange.h"

#include <dlfcn.h>
#include <httplib.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "http/response.h"
#include "http/server/request_head.h"

namespace wallprof::http {

namespace {

// What the library's routes match, in place of a client's path.
constexpr char kRoute[] = "/";

// On a response that its handler gave, so that an empty one is left so.
constexpr char kHandled[] = "handled";

// A connection as cpp-httplib reads and writes it, head first.
class ConnectionStream : public httplib::Stream {
 public:
  ConnectionStream(std::string head, Connection& connection)
      : head_(std::move(head)), connection_(connection) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }

  ssize_t read(char* bytes, size_t size) override {
    if (read_ == head_.size()) return connection_.Read(bytes, size);
    size_t count = head_.copy(bytes, size, read_);
    read_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* bytes, size_t size) override {
    return connection_.Write({bytes, size}) ? static_cast<ssize_t>(size) : -1;
  }

  void get_remote_ip_and_port(std::string& host, int& port) const override {
    Connection::Peer peer = connection_.peer();
    host = std::move(peer.host);
    port = peer.port;
  }
  void get_local_ip_and_port(std::string&, int&) const override {}

  // None that it may wait on: it would use select().
  socket_t socket() const override { return -1; }

 private:
  const std::string head_;
  size_t read_ = 0;
  Connection& connection_;
};

// Its constructor ignores SIGPIPE for the whole process; that is the host's to
// decide, and MSG_NOSIGNAL does without.
class HostSigpipe {
 public:
  HostSigpipe() { sigaction(SIGPIPE, nullptr, &action_); }
  ~HostSigpipe() { sigaction(SIGPIPE, &action_, nullptr); }

 private:
  struct sigaction action_;
};

// Headers that the library adds to those of the client.
bool IsAdded(const std::string& name) {
  return name == "REMOTE_ADDR" || name == "REMOTE_PORT" ||
         name == "LOCAL_ADDR" || name == "LOCAL_PORT";
}

std::string PeerOf(const httplib::Request& request) {
  if (request.remote_addr.empty()) return "";
  const bool is_v6 = absl::StrContains(request.remote_addr, ":");
  return absl::StrCat(is_v6 ? "[" : "", request.remote_addr, is_v6 ? "]" : "",
                      ":", request.remote_port);
}

HttpRequest RequestOf(const httplib::Request& from, std::string body) {
  HttpRequest request;
  request.method = from.method;
  request.target = from.target;
  request.body = std::move(body);
  for (const auto& [name, value] : from.headers) {
    if (IsAdded(name)) continue;
    std::string& joined =
        request.headers[absl::EqualsIgnoreCase(name, kHiddenContentType)
                            ? "content-type"
                            : absl::AsciiStrToLower(name)];
    absl::StrAppend(&joined, joined.empty() ? "" : ", ", value);
  }
  request.client_gone = [&from] { return !from.progress(0, 0); };
  request.peer = PeerOf(from);
  return request;
}

// Whether a body follows the head. Where a length is missing, none does.
bool HasBody(const httplib::Request& request) {
  return (request.method == "POST" || request.method == "PUT" ||
          request.method == "PATCH" || request.method == "DELETE") &&
         (request.has_header("Content-Length") ||
          request.has_header("Transfer-Encoding"));
}

void Set(HttpResponse&& from, httplib::Response& response) {
  response.status = from.status;
  response.reason = kHandled;
  for (const auto& [name, value] : from.headers) {
    response.set_header(name, value);
  }
  response.body = std::move(from.body);
}

// Of a response to HEAD, the length is not known without measuring.
void DropUnknownLength(const httplib::Request& request,
                       httplib::Response& response) {
  if (request.method != "HEAD") return;
  response.headers.erase("Content-Length");
  response.headers.erase("Accept-Ranges");
}

class HttplibExchange : public Exchange, private httplib::Server {
 public:
  explicit HttplibExchange(Answering answering);

  void Answer(Connection& connection,
              const std::function<bool()>& is_stopping) override;

 private:
  // The response to a request whose body need not, or cannot, be read.
  std::optional<HttpResponse> AnswerHead(const httplib::Request& request) const;

  // What is wrong with how a body is framed.
  std::optional<HttpResponse> RefuseBody(const httplib::Request& request) const;

  void HandleBody(const httplib::Request& request, httplib::Response& response,
                  const httplib::ContentReader& reader);

  // A response in the place of one to the body.
  HttpResponse RefusedBody(const httplib::Request& request, int status,
                           std::string_view sentence) const;

  // A response of the server's own.
  HttpResponse Refused(int status, std::string_view sentence) const;

  const Answering answering_;
};

HttplibExchange::HttplibExchange(Answering answering)
    : answering_(std::move(answering)) {
  // Before any route.
  set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        std::optional<HttpResponse> answer = AnswerHead(request);
        if (!answer) return HandlerResponse::Unhandled;
        Set(*std::move(answer), response);
        return HandlerResponse::Handled;
      });
  // A body that would be refused need not be sent at all.
  set_expect_100_continue_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (!HasBody(request)) return 100;
        std::optional<HttpResponse> answer = AnswerHead(request);
        if (!answer) return 100;
        Set(*std::move(answer), response);
        return response.status;
      });
  const HandlerWithContentReader handle =
      [this](const httplib::Request& request, httplib::Response& response,
             const httplib::ContentReader& reader) {
        HandleBody(request, response, reader);
      };
  Post(kRoute, handle);
  Put(kRoute, handle);
  Patch(kRoute, handle);
  Delete(kRoute, handle);
  set_post_routing_handler(DropUnknownLength);
  set_error_handler(
      Handler([this](const httplib::Request&, httplib::Response& response) {
        if (response.reason == kHandled) return;
        Set(Refused(response.status, "The request cannot be read."), response);
      }));
  set_exception_handler([this](const httplib::Request&,
                               httplib::Response& response,
                               std::exception_ptr) {
    Set(Refused(500, "Out of memory or worse."), response);
  });
}

std::optional<HttpResponse> HttplibExchange::AnswerHead(
    const httplib::Request& request) const {
  HttpRequest head = RequestOf(request, "");
  if (answering_.answer_head) {
    std::optional<HttpResponse> answer = answering_.answer_head(head);
    if (answer) return answer;
  }
  if (!HasBody(request)) return answering_.handle(head);
  return RefuseBody(request);
}

std::optional<HttpResponse> HttplibExchange::RefuseBody(
    const httplib::Request& request) const {
  if (request.is_multipart_form_data()) {
    return RefusedBody(request, 415, "A body in parts is not taken.");
  }
  const size_t lengths = request.get_header_value_count("Content-Length");
  if (request.has_header("Transfer-Encoding")) {
    // Two framings, of which a proxy may have believed the other.
    if (lengths > 0 ||
        request.get_header_value_count("Transfer-Encoding") > 1 ||
        !absl::EqualsIgnoreCase(request.get_header_value("Transfer-Encoding"),
                                "chunked")) {
      return RefusedBody(request, 400, "The body's length is not clear.");
    }
    return std::nullopt;
  }
  const std::string text = request.get_header_value("Content-Length");
  uint64_t length = 0;
  if (lengths > 1 || text.empty() ||
      !std::all_of(text.begin(), text.end(),
                   [](unsigned char c) { return absl::ascii_isdigit(c); })) {
    return RefusedBody(request, 400, "The body's length is not clear.");
  }
  // What does not fit into 64 bits is too large as well.
  if (!absl::SimpleAtoi(text, &length) || length > answering_.body_bytes) {
    return RefusedBody(request, 413, "The body is too large.");
  }
  return std::nullopt;
}

void HttplibExchange::HandleBody(const httplib::Request& request,
                                 httplib::Response& response,
                                 const httplib::ContentReader& reader) {
  std::string body;
  uint64_t length = 0;
  // Was checked with the head.
  if (absl::SimpleAtoi(request.get_header_value("Content-Length"), &length)) {
    body.reserve(length);
  }
  bool is_too_large = false;
  bool is_whole = reader([&](const char* bytes, size_t size) {
    is_too_large = body.size() + size > answering_.body_bytes;
    if (!is_too_large) body.append(bytes, size);
    return !is_too_large;
  });
  if (is_too_large) {
    Set(RefusedBody(request, 413, "The body is too large."), response);
  } else if (!is_whole) {
    Set(RefusedBody(request, 400, "The body cannot be read."), response);
  } else {
    Set(answering_.handle(RequestOf(request, std::move(body))), response);
  }
}

HttpResponse HttplibExchange::RefusedBody(const httplib::Request& request,
                                          int status,
                                          std::string_view sentence) const {
  HttpResponse response = Refused(status, sentence);
  if (!answering_.refusal) return response;
  return answering_.refusal(RequestOf(request, ""), status, sentence);
}

HttpResponse HttplibExchange::Refused(int status,
                                      std::string_view sentence) const {
  if (answering_.refused) answering_.refused(status);
  return Failure(status, sentence);
}

void HttplibExchange::Answer(Connection& connection,
                             const std::function<bool()>& is_stopping) {
  std::string head;
  switch (connection.ReadHead(head)) {
    case Connection::HeadResult::kWhole: {
      if (!IsClean(head)) {
        connection.Write(
            BytesOf(Refused(400,
                            "The request's head has characters that may "
                            "not be in one.")));
        break;
      }
      head = WithoutDropped(head);
      if (answering_.takes_parts) head = WithPartsHidden(head);
      ConnectionStream stream(std::move(head), connection);
      bool was_closed = false;
      process_request(stream, /*close_connection=*/true, was_closed,
                      [&](httplib::Request& request) {
                        request.path = std::string(kRoute);
                        // The request's own way to ask whether to go on.
                        request.progress = [&](uint64_t, uint64_t) {
                          return !is_stopping() && !connection.IsClientGone();
                        };
                      });
      break;
    }
    case Connection::HeadResult::kTooLarge:
      connection.Write(
          BytesOf(Refused(431, "The request's head is too large.")));
      break;
    case Connection::HeadResult::kTooLate:
      connection.Write(
          BytesOf(Refused(408, "The request took too long to come.")));
      break;
    case Connection::HeadResult::kForeign:
      connection.Write(BytesOf(Refused(400, "This port speaks HTTP.")));
      break;
    case Connection::HeadResult::kCutShort:
      connection.Write(BytesOf(Refused(400, connection.problem().empty()
                                                ? "The request was cut short."
                                                : connection.problem())));
      break;
  }
  connection.Finish();
}

// Whether what lies at `address` is of the library that this file was compiled
// for.
bool IsOfLibrary(const void* address) {
  Dl_info info;
  return dladdr(address, &info) != 0 &&
         absl::StrContains(info.dli_fname, "libcpp-httplib.so");
}

// Whether the program has the header-only form of cpp-httplib in it. Its
// functions take the place of the library's, and if they are of another version
// lay out their objects in another way.
bool IsLibraryReplaced() {
  // Part of every server, and of every client and server.
  const void* server = &typeid(httplib::Server);
  bool (httplib::Request::*member)(const std::string&) const =
      &httplib::Request::has_header;
  const void* request = nullptr;
  std::memcpy(&request, &member, sizeof(request));
  return !IsOfLibrary(server) || !IsOfLibrary(request);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Exchange>> Exchange::Create(
    Answering answering) {
  if (IsLibraryReplaced()) {
    return absl::FailedPreconditionError(
        "This program has a cpp-httplib of its own, which the embedded server "
        "cannot share: mount the handler on it with wallprof/httplib_mount.h.");
  }
  HostSigpipe sigpipe;
  return std::make_unique<HttplibExchange>(std::move(answering));
}

}  // namespace wallprof::http
