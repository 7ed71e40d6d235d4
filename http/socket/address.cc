#include "http/socket/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace wallprof::http {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

absl::Status Invalid(const Address& address, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("Cannot listen on '",
                                                 absl::CHexEscape(address.text),
                                                 "': ", std::string(why)));
}

absl::Status ReadUnix(std::string_view path, Address& address) {
  sockaddr_un bytes = {};
  bytes.sun_family = AF_UNIX;
  if (path.empty()) return Invalid(address, "the path is empty.");
  // The program may change its directory before the socket is removed.
  std::error_code failed;
  address.unix_path = std::filesystem::absolute(path, failed).string();
  if (failed) return Invalid(address, failed.message());
  if (address.unix_path.size() >= sizeof(bytes.sun_path)) {
    return Invalid(address,
                   absl::StrCat("the path is longer than ",
                                sizeof(bytes.sun_path) - 1, " bytes."));
  }
  if (address.unix_path.find('\0') != std::string::npos) {
    return Invalid(address, "the path has a NUL in it.");
  }
  address.unix_path.copy(bytes.sun_path, sizeof(bytes.sun_path) - 1);
  std::memcpy(&address.bytes, &bytes, sizeof(bytes));
  address.length = sizeof(bytes);
  return absl::OkStatus();
}

absl::Status ReadHost(std::string host, uint16_t port, Address& address) {
  if (host.empty() || host == "localhost") host = "127.0.0.1";
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&address.bytes, &v4, sizeof(v4));
    address.length = sizeof(v4);
    return absl::OkStatus();
  }
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  bool in_brackets = host.front() == '[' && host.back() == ']';
  std::string inner = in_brackets ? host.substr(1, host.size() - 2) : host;
  if (inet_pton(AF_INET6, inner.c_str(), &v6.sin6_addr) == 1) {
    if (!in_brackets) {
      return Invalid(address, "an IPv6 address goes in brackets, [::1]:6060.");
    }
    std::memcpy(&address.bytes, &v6, sizeof(v6));
    address.length = sizeof(v6);
    return absl::OkStatus();
  }
  return Invalid(address,
                 "names other than localhost are not looked up; use an IP "
                 "address.");
}

}  // namespace

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  Address address;
  address.text = std::string(text);
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) {
    absl::Status read = ReadUnix(text.substr(kUnixPrefix.size()), address);
    if (!read.ok()) return read;
    return address;
  }
  size_t colon = text.rfind(':');
  std::string host, port_text(text);
  if (colon != std::string_view::npos) {
    host = std::string(text.substr(0, colon));
    port_text = std::string(text.substr(colon + 1));
  }
  uint32_t port = 0;
  bool are_digits =
      std::all_of(port_text.begin(), port_text.end(),
                  [](unsigned char c) { return absl::ascii_isdigit(c) != 0; });
  if (!are_digits || !absl::SimpleAtoi(port_text, &port) || port > UINT16_MAX) {
    return Invalid(address,
                   "it must be HOST:PORT, PORT or unix:PATH, with a port from "
                   "0 to 65535.");
  }
  absl::Status read = ReadHost(host, static_cast<uint16_t>(port), address);
  if (!read.ok()) return read;
  return address;
}

bool IsLoopback(const Address& address) {
  if (address.family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.bytes);
    return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (address.family() == AF_INET6) {
    const in6_addr& v6 =
        reinterpret_cast<const sockaddr_in6&>(address.bytes).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&v6) ||
           (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
  }
  return true;
}

int PortOf(const Address& address) {
  switch (address.family()) {
    case AF_INET:
      return ntohs(
          reinterpret_cast<const sockaddr_in&>(address.bytes).sin_port);
    case AF_INET6:
      return ntohs(
          reinterpret_cast<const sockaddr_in6&>(address.bytes).sin6_port);
    default:
      return 0;
  }
}

std::string UrlOf(const Address& address, std::string_view scheme) {
  if (address.family() == AF_UNIX) {
    return absl::StrCat(std::string(kUnixPrefix), address.unix_path);
  }
  char host[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    in_addr v4 = reinterpret_cast<const sockaddr_in&>(address.bytes).sin_addr;
    if (v4.s_addr == htonl(INADDR_ANY)) v4.s_addr = htonl(INADDR_LOOPBACK);
    inet_ntop(AF_INET, &v4, host, sizeof(host));
    return absl::StrCat(std::string(scheme), "://", host, ":", PortOf(address),
                        "/");
  }
  in6_addr v6 = reinterpret_cast<const sockaddr_in6&>(address.bytes).sin6_addr;
  if (IN6_IS_ADDR_UNSPECIFIED(&v6)) v6 = in6addr_loopback;
  inet_ntop(AF_INET6, &v6, host, sizeof(host));
  return absl::StrCat(std::string(scheme), "://[", host, "]:", PortOf(address),
                      "/");
}

}  // namespace wallprof::http
