#include "fleet/agent/socket_exchange.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/http_message.h"
#include "fleet/agent/resolver.h"
#include "fleet/agent/waiting.h"

namespace wallprof::agent {
namespace {

constexpr size_t kReceiveBytes = 16 << 10;

// For one address to answer; then the next is tried.
constexpr absl::Duration kConnectTimeout = absl::Seconds(5);

class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

std::string ErrorText(int error) {
  char text[128];
  return strerror_r(error, text, sizeof(text));
}

class Attempt {
 public:
  Attempt(const AgentRequest& request, Url url)
      : request_(request),
        url_(std::move(url)),
        deadline_(SteadyNow() + request.timeout) {}

  AgentAnswer Run();

 private:
  absl::StatusOr<Socket> Connect() const;
  absl::StatusOr<Socket> ConnectTo(const SocketAddress& address) const;
  absl::Status WaitFor(int socket, short events, absl::Time deadline,
                       short& ready) const;
  absl::Status Send(int socket, std::string_view bytes, bool& is_answered);
  absl::Status Receive(int socket);

  const AgentRequest& request_;
  const Url url_;
  const absl::Time deadline_;
  bool was_sent_ = false;  // to its last byte, as far as this machine knows
  AnswerReader reader_;
};

// OkStatus once one of `events` is there, or an error of the socket's.
absl::Status Attempt::WaitFor(int socket, short events, absl::Time deadline,
                              short& ready) const {
  for (;;) {
    if (request_.cancelled && request_.cancelled()) {
      return absl::CancelledError("stopped");
    }
    pollfd waiting = {socket, events, 0};
    if (PollUntil(&waiting, 1, deadline) > 0) {
      ready = waiting.revents;
      return absl::OkStatus();
    }
    if (SteadyNow() >= deadline) {
      return absl::UnavailableError("it took too long");
    }
  }
}

absl::StatusOr<Socket> Attempt::ConnectTo(const SocketAddress& address) const {
  Socket opened(socket(address.bytes.ss_family,
                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (opened.number() < 0) {
    return absl::UnavailableError(ErrorText(errno));
  }
  // Head and body are two writes; the second need not wait for the first's
  // acknowledgement.
  const int on = 1;
  setsockopt(opened.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  int error = 0;
  if (connect(opened.number(), address.get(), address.length) != 0) {
    error = errno;
  }
  if (error == EINPROGRESS) {
    short ready = 0;
    const absl::Status waited =
        WaitFor(opened.number(), POLLOUT,
                std::min(deadline_, SteadyNow() + kConnectTimeout), ready);
    if (!waited.ok()) return waited;
    socklen_t length = sizeof(error);
    getsockopt(opened.number(), SOL_SOCKET, SO_ERROR, &error, &length);
  }
  if (error != 0) return absl::UnavailableError(ErrorText(error));
  return opened;
}

absl::StatusOr<Socket> Attempt::Connect() const {
  absl::StatusOr<std::vector<SocketAddress>> addresses =
      Resolve(url_.host, url_.port, deadline_, request_.cancelled);
  if (!addresses.ok()) return addresses.status();
  absl::Status last;
  for (const SocketAddress& address : *addresses) {
    absl::StatusOr<Socket> socket = ConnectTo(address);
    if (socket.ok() || absl::IsCancelled(socket.status())) return socket;
    last = socket.status();
  }
  return absl::UnavailableError(
      absl::StrCat("no connection to ", url_.authority, ": ", last.message()));
}

// Sends `bytes`; or a part of them, where the answer comes first: a refusal
// that is followed by a reset, which would take it along.
absl::Status Attempt::Send(int socket, std::string_view bytes,
                           bool& is_answered) {
  while (!bytes.empty()) {
    short ready = 0;
    const absl::Status waited =
        WaitFor(socket, POLLOUT | POLLIN, deadline_, ready);
    if (!waited.ok()) return waited;
    if ((ready & POLLIN) != 0) {
      is_answered = true;
      return absl::OkStatus();
    }
    const ssize_t count =
        send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return absl::UnavailableError(ErrorText(errno));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status Attempt::Receive(int socket) {
  char bytes[kReceiveBytes];
  AnswerReader::State state = AnswerReader::State::kMore;
  while (state == AnswerReader::State::kMore) {
    short ready = 0;
    const absl::Status waited = WaitFor(socket, POLLIN, deadline_, ready);
    if (!waited.ok()) return waited;
    const ssize_t count = recv(socket, bytes, sizeof(bytes), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return absl::UnavailableError(ErrorText(errno));
    state = count == 0 ? reader_.End()
                       : reader_.Add({bytes, static_cast<size_t>(count)});
  }
  return state == AnswerReader::State::kWhole
             ? absl::OkStatus()
             : absl::UnavailableError(reader_.error());
}

AgentAnswer Attempt::Run() {
  AgentAnswer answer;
  const absl::StatusOr<Socket> socket = Connect();
  absl::Status status = socket.status();
  if (socket.ok()) {
    bool is_answered = false;
    status = Send(socket->number(), RequestHead(request_, url_), is_answered);
    if (status.ok() && !is_answered) {
      status = Send(socket->number(), request_.body, is_answered);
      was_sent_ = status.ok();
    }
    if (status.ok()) status = Receive(socket->number());
  }
  if (!status.ok()) {
    answer.result = was_sent_ ? AgentAnswer::Result::kBroken
                              : AgentAnswer::Result::kNotSent;
    answer.error = std::string(status.message());
    return answer;
  }
  answer.result = AgentAnswer::Result::kAnswered;
  answer.status = reader_.status();
  answer.headers = reader_.headers();
  answer.body = reader_.body();
  return answer;
}

}  // namespace

AgentAnswer ExchangeOverSocket(const AgentRequest& request) {
  absl::StatusOr<Url> url = ParseUrl(request.url);
  if (url.ok() && url->scheme != "http") {
    url =
        absl::InvalidArgumentError("https needs an exchange of the program's");
  }
  if (!url.ok()) {
    AgentAnswer answer;
    answer.error = std::string(url.status().message());
    return answer;
  }
  return Attempt(request, *std::move(url)).Run();
}

}  // namespace wallprof::agent
