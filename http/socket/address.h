// Where to listen, as a user writes it.
#ifndef WALLPROF_HTTP_SOCKET_ADDRESS_H_
#define WALLPROF_HTTP_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wallprof::http {

struct Address {
  std::string text;       // as given, for messages
  std::string unix_path;  // absolute; empty for TCP
  sockaddr_storage bytes = {};
  socklen_t length = 0;

  int family() const { return bytes.ss_family; }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

// Reads "HOST:PORT", "PORT", ":PORT" (both loopback) or "unix:PATH". HOST is
// an IP address, IPv6 in brackets, or localhost: asking a resolver would run
// the host program's plugins. InvalidArgument saying what is wrong.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// For a browser: "http://127.0.0.1:6060/" or "unix:/path". An address that
// stands for every interface is shown as loopback, where a browser can go.
std::string UrlOf(const Address& address, std::string_view scheme = "http");

// Whether only this machine reaches it: a unix socket too.
bool IsLoopback(const Address& address);

// 0 for a unix socket.
int PortOf(const Address& address);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SOCKET_ADDRESS_H_
