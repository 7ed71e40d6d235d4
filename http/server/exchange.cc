#include "http/server/exchange.h"

#include <dlfcn.h>
#include <httplib.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "http/response.h"

namespace wallprof::http {

namespace {

// The one path whose request has a body.
constexpr char kBodyPath[] = "/debug/pprof/symbol";

// A body is limited again after it is unpacked: a compressed one could grow a
// thousandfold.
constexpr size_t kMaxBodyBytes = size_t{1} << 20;

// Headers that cpp-httplib would act upon by itself: Range with a regular
// expression that recurses a level for each byte, and by cutting our responses
// without a 206; Accept-Encoding with CPU time of the program's, Brotli's at
// its slowest setting.
constexpr absl::string_view kDroppedHeaders[] = {"range:", "accept-encoding:"};

// `head` without the lines of kDroppedHeaders.
std::string WithoutDropped(std::string_view head) {
  std::string kept;
  while (!head.empty()) {
    size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
    absl::string_view line(head.data(), end);
    if (std::none_of(std::begin(kDroppedHeaders), std::end(kDroppedHeaders),
                     [line](absl::string_view name) {
                       return absl::StartsWithIgnoreCase(line, name);
                     })) {
      absl::StrAppend(&kept, line);
    }
    head.remove_prefix(end);
  }
  return kept;
}

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

  void get_remote_ip_and_port(std::string&, int&) const override {}
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

HttpRequest RequestOf(const httplib::Request& from, std::string body) {
  HttpRequest request;
  request.method = from.method;
  request.target = from.target;
  request.body = std::move(body);
  for (const auto& [name, value] : from.headers) {
    std::string& joined = request.headers[absl::AsciiStrToLower(name)];
    absl::StrAppend(&joined, joined.empty() ? "" : ", ", value);
  }
  request.client_gone = [&from] { return !from.progress(0, 0); };
  return request;
}

class HttplibExchange : public Exchange, private httplib::Server {
 public:
  explicit HttplibExchange(HttpHandler& handler);

  void Answer(Connection& connection,
              const std::function<bool()>& is_stopping) override;

 private:
  void Handle(const httplib::Request& request, std::string body,
              httplib::Response& response);
  void HandleBody(const httplib::Request& request, httplib::Response& response,
                  const httplib::ContentReader& reader);

  HttpHandler& handler_;
};

bool HasBody(const httplib::Request& request) {
  return request.method == "POST" && request.path == kBodyPath &&
         (request.has_header("Content-Length") ||
          request.has_header("Transfer-Encoding"));
}

void Set(HttpResponse&& from, httplib::Response& response) {
  response.status = from.status;
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

HttplibExchange::HttplibExchange(HttpHandler& handler) : handler_(handler) {
  // Before any route, so that no regular expression sees the path.
  set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (HasBody(request)) return HandlerResponse::Unhandled;
        Handle(request, "", response);
        return HandlerResponse::Handled;
      });
  Post(kBodyPath,
       [this](const httplib::Request& request, httplib::Response& response,
              const httplib::ContentReader& reader) {
         HandleBody(request, response, reader);
       });
  set_post_routing_handler(DropUnknownLength);
  set_error_handler(
      Handler([](const httplib::Request&, httplib::Response& response) {
        if (!response.body.empty()) return;
        int status = response.status;
        Set(Failure(status, "The request cannot be read."), response);
      }));
  set_exception_handler([](const httplib::Request&, httplib::Response& response,
                           std::exception_ptr) {
    Set(Failure(500, "Out of memory or worse."), response);
  });
}

void HttplibExchange::Handle(const httplib::Request& request, std::string body,
                             httplib::Response& response) {
  Set(handler_.Handle(RequestOf(request, std::move(body))), response);
}

void HttplibExchange::HandleBody(const httplib::Request& request,
                                 httplib::Response& response,
                                 const httplib::ContentReader& reader) {
  if (request.is_multipart_form_data()) {
    Set(Failure(415, "A body in parts is not taken."), response);
    return;
  }
  std::string body;
  bool is_too_large = false;
  bool is_whole = reader([&](const char* bytes, size_t size) {
    is_too_large = body.size() + size > kMaxBodyBytes;
    if (!is_too_large) body.append(bytes, size);
    return !is_too_large;
  });
  if (is_too_large) {
    Set(Failure(413, "The body is too large."), response);
  } else if (!is_whole) {
    Set(Failure(400, "The body cannot be read."), response);
  } else {
    Handle(request, std::move(body), response);
  }
}

void HttplibExchange::Answer(Connection& connection,
                             const std::function<bool()>& is_stopping) {
  std::string head;
  switch (connection.ReadHead(head)) {
    case Connection::HeadResult::kWhole: {
      ConnectionStream stream(WithoutDropped(head), connection);
      bool was_closed = false;
      // The request's own way to ask whether to go on.
      process_request(stream, /*close_connection=*/true, was_closed,
                      [&](httplib::Request& request) {
                        request.progress = [&](uint64_t, uint64_t) {
                          return !is_stopping() && !connection.IsClientGone();
                        };
                      });
      break;
    }
    case Connection::HeadResult::kTooLarge:
      connection.Write(
          BytesOf(Failure(431, "The request's head is too large.")));
      break;
    case Connection::HeadResult::kTooLate:
      connection.Write(
          BytesOf(Failure(408, "The request took too long to come.")));
      break;
    case Connection::HeadResult::kCutShort:
      connection.Write(BytesOf(Failure(400, "The request was cut short.")));
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
    HttpHandler& handler) {
  if (IsLibraryReplaced()) {
    return absl::FailedPreconditionError(
        "This program has a cpp-httplib of its own, which the embedded server "
        "cannot share: mount the handler on it with wallprof/httplib_mount.h.");
  }
  HostSigpipe sigpipe;
  return std::make_unique<HttplibExchange>(handler);
}

}  // namespace wallprof::http
