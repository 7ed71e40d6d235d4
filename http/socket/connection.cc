#include "http/socket/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace wallprof::http {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

// How long a closed connection's next bytes are waited for. The client has its
// response by then and usually closes at once.
constexpr std::chrono::milliseconds kLinger{500};

// Whether a request can begin so, maybe after an empty line. Clients of other
// protocols, who wait for an answer before they say more, need not be waited
// for.
bool BeginsAsRequest(char first) {
  return first == '\r' || first == '\n' || (first > ' ' && first < '\x7f');
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, int stop_event,
                       const ConnectionLimits& limits)
    : transport_(std::move(transport)),
      stop_event_(stop_event),
      limits_(limits),
      deadline_(Clock::now() +
                absl::ToChronoMilliseconds(limits.request_timeout)),
      buffer_(new char[limits.receive_bytes]) {}

bool Connection::WaitFor(short events, Clock::time_point deadline) const {
  for (;;) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd ready[2] = {{transport_->descriptor(), events, 0},
                       {stop_event_, POLLIN, 0}};
    int count = poll(ready, 2, static_cast<int>(left.count()));
    if (count < 0 && errno != EINTR) return false;
    if (count <= 0) continue;
    if (ready[1].revents != 0) return false;
    return true;
  }
}

ssize_t Connection::Fill(Clock::time_point deadline) {
  for (;;) {
    Transport::Outcome got =
        transport_->Receive(buffer_.get(), limits_.receive_bytes);
    if (got.count >= 0) {
      size_t count = static_cast<size_t>(got.count);
      unread_ = {buffer_.get(), count};
      received_ += count;
      return got.count;
    }
    if (got.wait_for == 0 || !WaitFor(got.wait_for, deadline)) return -1;
  }
}

Connection::HeadResult Connection::ReadHead(std::string& head) {
  std::string bytes;
  for (;;) {
    ssize_t count = Fill(deadline_);
    if (count <= 0) {
      return count < 0 && Clock::now() >= deadline_ ? HeadResult::kTooLate
                                                    : HeadResult::kCutShort;
    }
    if (bytes.empty() && !BeginsAsRequest(unread_[0])) {
      return HeadResult::kForeign;
    }
    // The end may lie across two chunks.
    size_t seen = bytes.size();
    size_t from = seen - std::min(seen, kHeadEnd.size() - 1);
    bytes.append(unread_);
    size_t end = bytes.find(kHeadEnd, from);
    if (end != std::string::npos &&
        end + kHeadEnd.size() <= limits_.head_bytes) {
      bytes.resize(end + kHeadEnd.size());
      unread_.remove_prefix(bytes.size() - seen);
      head = std::move(bytes);
      return HeadResult::kWhole;
    }
    if (bytes.size() > limits_.head_bytes) return HeadResult::kTooLarge;
  }
}

ssize_t Connection::Read(char* bytes, size_t size) {
  if (received_ > limits_.request_bytes) return -1;
  if (unread_.empty()) {
    ssize_t count = Fill(deadline_);
    if (count <= 0) return count;
  }
  size_t count = unread_.copy(bytes, size);
  unread_.remove_prefix(count);
  return static_cast<ssize_t>(count);
}

bool Connection::Write(std::string_view bytes) {
  if (!response_deadline_) {
    response_deadline_ =
        Clock::now() + absl::ToChronoMilliseconds(limits_.response_timeout);
  }
  while (!bytes.empty()) {
    Transport::Outcome sent = transport_->Send(bytes);
    if (sent.count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent.count));
      continue;
    }
    const Clock::time_point deadline = std::min<Clock::time_point>(
        *response_deadline_,
        Clock::now() + absl::ToChronoMilliseconds(limits_.send_timeout));
    if (sent.wait_for == 0 || !WaitFor(sent.wait_for, deadline)) return false;
  }
  return true;
}

bool Connection::IsClientGone() const {
  pollfd ready = {transport_->descriptor(), POLLRDHUP, 0};
  return poll(&ready, 1, 0) > 0;
}

void Connection::Finish() {
  transport_->EndSending();
  const Clock::time_point last =
      Clock::now() + absl::ToChronoMilliseconds(limits_.linger_timeout);
  const size_t most = received_ + limits_.linger_bytes;
  while (received_ < most &&
         Fill(std::min<Clock::time_point>(Clock::now() + kLinger, last)) > 0) {
  }
}

Connection::Peer Connection::peer() const {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  if (getpeername(transport_->descriptor(),
                  reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return {};
  }
  char host[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &ip.sin_addr, host, sizeof(host));
    return {host, ntohs(ip.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &ip.sin6_addr, host, sizeof(host));
    return {host, ntohs(ip.sin6_port)};
  }
  return {};
}

}  // namespace wallprof::http
