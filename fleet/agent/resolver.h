// Addresses of a host's name.
//
// By c-ares, which reads /etc/hosts and resolv.conf and asks name servers from
// the calling thread: libc's getaddrinfo cannot be ended before its time, which
// can be half a minute, and loads plugins into the program.
#ifndef WALLPROF_FLEET_AGENT_RESOLVER_H_
#define WALLPROF_FLEET_AGENT_RESOLVER_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wallprof::agent {

struct SocketAddress {
  sockaddr_storage bytes = {};
  socklen_t length = 0;

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

// In the order in which to try them; at least one. Unavailable, with a
// sentence, if there are none, or not before `deadline`; Cancelled when
// `cancelled`, which is asked every 20 ms, says so.
absl::StatusOr<std::vector<SocketAddress>> Resolve(
    const std::string& host, const std::string& port, absl::Time deadline,
    const std::function<bool()>& cancelled);

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_RESOLVER_H_
