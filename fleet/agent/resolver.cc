#include "fleet/agent/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/waiting.h"

namespace wallprof::agent {
namespace {

struct Found {
  bool done = false;
  int status = ARES_SUCCESS;
  std::vector<SocketAddress> addresses;
};

void Take(void* found_pointer, int status, int, ares_addrinfo* result) {
  Found& found = *static_cast<Found*>(found_pointer);
  found.done = true;
  found.status = status;
  if (result == nullptr) return;
  for (const ares_addrinfo_node* node = result->nodes; node != nullptr;
       node = node->ai_next) {
    SocketAddress& address = found.addresses.emplace_back();
    address.length =
        std::min<socklen_t>(node->ai_addrlen, sizeof(address.bytes));
    std::memcpy(&address.bytes, node->ai_addr, address.length);
  }
  ares_freeaddrinfo(result);
}

// Waits for the name servers' sockets, or a moment, and reads what came.
void Turn(ares_channel channel, absl::Time deadline) {
  ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
  const auto mask = static_cast<unsigned>(
      ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM));
  pollfd ready[ARES_GETSOCK_MAXNUM];
  nfds_t count = 0;
  for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    short events = 0;
    if (ARES_GETSOCK_READABLE(mask, i)) events |= POLLIN;
    if (ARES_GETSOCK_WRITABLE(mask, i)) events |= POLLOUT;
    if (events != 0) ready[count++] = {sockets[i], events, 0};
  }
  PollUntil(ready, count, deadline);
  for (nfds_t i = 0; i < count; ++i) {
    const bool writable = (ready[i].revents & POLLOUT) != 0;
    const bool readable = (ready[i].revents & ~POLLOUT) != 0;
    ares_process_fd(channel, readable ? ready[i].fd : ARES_SOCKET_BAD,
                    writable ? ready[i].fd : ARES_SOCKET_BAD);
  }
  // Time-outs, also where no socket was ready.
  ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

// `host` as an address, if it is one: c-ares asks name servers even then.
bool ReadNumeric(const std::string& host, const std::string& port,
                 SocketAddress& address) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;  // asks nobody
  addrinfo* result = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &result) != 0) {
    return false;
  }
  address.length = result->ai_addrlen;
  std::memcpy(&address.bytes, result->ai_addr, result->ai_addrlen);
  freeaddrinfo(result);
  return true;
}

absl::Status Unresolved(const std::string& host, const char* why) {
  return absl::UnavailableError(
      absl::StrCat("no address for ", host, ": ", why));
}

}  // namespace

absl::StatusOr<std::vector<SocketAddress>> Resolve(
    const std::string& host, const std::string& port, absl::Time deadline,
    const std::function<bool()>& cancelled) {
  SocketAddress numeric;
  if (ReadNumeric(host, port, numeric)) return std::vector{numeric};
  ares_channel channel = nullptr;
  if (const int error = ares_init(&channel); error != ARES_SUCCESS) {
    return Unresolved(host, ares_strerror(error));
  }
  const std::unique_ptr<ares_channeldata, void (*)(ares_channel)> owner(
      channel, ares_destroy);
  Found found;
  ares_addrinfo_hints hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NUMERICSERV;
  ares_getaddrinfo(channel, host.c_str(), port.c_str(), &hints, Take, &found);
  while (!found.done) {
    if (cancelled && cancelled()) return absl::CancelledError("stopped");
    if (SteadyNow() >= deadline) return Unresolved(host, "it took too long");
    Turn(channel, deadline);
  }
  if (found.addresses.empty()) {
    return Unresolved(host, ares_strerror(found.status));
  }
  return std::move(found.addresses);
}

}  // namespace wallprof::agent
