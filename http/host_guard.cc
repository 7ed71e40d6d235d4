#include "http/host_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace wallprof::http {

namespace {

bool IsAddress(int family, const std::string& text) {
  in6_addr bytes;  // the larger of the two
  return inet_pton(family, text.c_str(), &bytes) == 1;
}

bool IsPort(std::string_view text) {
  return text.empty() ||
         (text[0] == ':' &&
          std::all_of(text.begin() + 1, text.end(),
                      [](unsigned char c) { return absl::ascii_isdigit(c); }));
}

}  // namespace

bool IsAllowedHost(std::string_view host,
                   const std::vector<std::string>& allowed_names) {
  if (!host.empty() && host.front() == '[') {
    size_t end = host.find(']');
    return end != std::string_view::npos && IsPort(host.substr(end + 1)) &&
           IsAddress(AF_INET6, std::string(host.substr(1, end - 1)));
  }
  size_t colon = std::min(host.find(':'), host.size());
  if (!IsPort(host.substr(colon))) return false;
  std::string name(host.substr(0, colon));
  return IsAddress(AF_INET, name) ||
         absl::EqualsIgnoreCase(name, "localhost") ||
         std::any_of(allowed_names.begin(), allowed_names.end(),
                     [&name](const std::string& allowed) {
                       return absl::EqualsIgnoreCase(name, allowed);
                     });
}

}  // namespace wallprof::http
