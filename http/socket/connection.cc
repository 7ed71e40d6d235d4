#include "http/socket/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace wallprof::http {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

// A page of memory at a time; most requests fit into one.
constexpr size_t kReceiveBytes = 4096;

// How long a closed connection's last bytes are waited for, and how many. The
// client has its response by then and usually closes at once.
constexpr absl::Duration kLinger = absl::Milliseconds(500);
constexpr size_t kLingerBytes = size_t{1} << 20;

}  // namespace

Connection::Connection(FileDescriptor socket, int stop_event,
                       const ConnectionLimits& limits)
    : socket_(std::move(socket)),
      stop_event_(stop_event),
      limits_(limits),
      deadline_(Clock::now() +
                absl::ToChronoMilliseconds(limits.request_timeout)) {}

bool Connection::WaitFor(short events, Clock::time_point deadline) const {
  for (;;) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd ready[2] = {{socket_.number(), events, 0}, {stop_event_, POLLIN, 0}};
    int count = poll(ready, 2, static_cast<int>(left.count()));
    if (count < 0 && errno != EINTR) return false;
    if (count <= 0) continue;
    if (ready[1].revents != 0) return false;
    return true;
  }
}

ssize_t Connection::Receive(char* bytes, size_t size,
                            Clock::time_point deadline) {
  for (;;) {
    ssize_t count = recv(socket_.number(), bytes, size, 0);
    if (count >= 0) {
      received_ += static_cast<size_t>(count);
      return count;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !WaitFor(POLLIN, deadline)) return -1;
  }
}

Connection::HeadResult Connection::ReadHead(std::string& head) {
  std::string bytes;
  char chunk[kReceiveBytes];
  for (;;) {
    ssize_t count = Receive(chunk, sizeof(chunk), deadline_);
    if (count <= 0) {
      return count < 0 && Clock::now() >= deadline_ ? HeadResult::kTooLate
                                                    : HeadResult::kCutShort;
    }
    // The end may lie across two chunks.
    size_t seen = bytes.size();
    size_t from = seen - std::min(seen, kHeadEnd.size() - 1);
    bytes.append(chunk, static_cast<size_t>(count));
    size_t end = bytes.find(kHeadEnd, from);
    if (end != std::string::npos &&
        end + kHeadEnd.size() <= limits_.head_bytes) {
      read_ahead_ = bytes.substr(end + kHeadEnd.size());
      bytes.resize(end + kHeadEnd.size());
      head = std::move(bytes);
      return HeadResult::kWhole;
    }
    if (bytes.size() > limits_.head_bytes) return HeadResult::kTooLarge;
  }
}

ssize_t Connection::Read(char* bytes, size_t size) {
  if (received_ > limits_.request_bytes) return -1;
  if (read_ahead_.empty()) return Receive(bytes, size, deadline_);
  size_t count = read_ahead_.copy(bytes, size);
  read_ahead_.erase(0, count);
  return static_cast<ssize_t>(count);
}

bool Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count =
        send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      if (!WaitFor(POLLOUT, Clock::now() + absl::ToChronoMilliseconds(
                                               limits_.send_timeout))) {
        return false;
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool Connection::IsClientGone() const {
  pollfd ready = {socket_.number(), POLLRDHUP, 0};
  return poll(&ready, 1, 0) > 0;
}

void Connection::Finish() {
  shutdown(socket_.number(), SHUT_WR);
  Clock::time_point deadline =
      Clock::now() + absl::ToChronoMilliseconds(kLinger);
  char chunk[kReceiveBytes];
  size_t discarded = 0;
  while (discarded < kLingerBytes) {
    ssize_t count = Receive(chunk, sizeof(chunk), deadline);
    if (count <= 0) return;
    discarded += static_cast<size_t>(count);
  }
}

}  // namespace wallprof::http
