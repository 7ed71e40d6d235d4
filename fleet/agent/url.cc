#include "fleet/agent/url.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace wallprof::agent {
namespace {

constexpr int kMaxPort = 65535;

absl::Status Wrong(std::string_view text, const char* why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(text), "\" ", why));
}

bool IsPort(const std::string& text) {
  int port = 0;
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, &port) && port > 0 && port <= kMaxPort;
}

// Splits "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT". False if it is none.
bool SplitAuthority(const std::string& authority, Url& url) {
  size_t end = 0;
  if (!authority.empty() && authority[0] == '[') {
    end = authority.find(']');
    if (end == std::string::npos) return false;
    url.host = authority.substr(1, end - 1);
    ++end;
  } else {
    end = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, end);
  }
  if (url.host.empty()) return false;
  if (end == authority.size()) return true;
  if (authority[end] != ':') return false;
  url.port = authority.substr(end + 1);
  return IsPort(url.port);
}

}  // namespace

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) {
    return Wrong(text,
                 "is no URL: it begins with neither http:// nor https://");
  }
  Url url;
  url.scheme = absl::AsciiStrToLower(std::string(text.substr(0, colon)));
  if (url.scheme != "http" && url.scheme != "https") {
    return Wrong(text, "begins with neither http:// nor https://");
  }
  url.port = url.scheme == "http" ? "80" : "443";
  if (std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
      })) {
    return Wrong(text, "has a blank or control character in it");
  }
  if (text.find('#') != std::string_view::npos) {
    return Wrong(text, "has a fragment (#...), which is sent nowhere");
  }
  std::string_view rest = text.substr(colon + 3);
  const size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  url.authority = std::string(rest.substr(0, slash));
  url.target = std::string(rest.substr(slash));
  if (url.target.empty() || url.target[0] != '/') url.target.insert(0, "/");
  if (url.authority.find('@') != std::string::npos) {
    return Wrong(text, "has a user or password in it");
  }
  if (!SplitAuthority(url.authority, url)) {
    return Wrong(text, "has no host, or a port that is none");
  }
  return url;
}

}  // namespace wallprof::agent
