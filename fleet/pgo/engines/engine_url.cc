#include "fleet/pgo/engines/engine_url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace wallprof::pgo {
namespace {

constexpr int kMaxPort = 65535;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

bool HasOnlyGraphs(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isgraph(c); });
}

}  // namespace

std::string EngineUrl::Parameter(std::string_view parameter,
                                 std::string_view otherwise) const {
  const auto found = parameters.find(parameter);
  return found == parameters.end() ? std::string(otherwise) : found->second;
}

absl::Status WrongUrl(std::string_view what, std::string_view url,
                      std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(View(what), " ", View(url), ": ", View(why)));
}

std::string WithPort(std::string_view host, int default_port) {
  // The colons of [::1] are its own.
  const size_t colon = host.rfind(':');
  if (colon == host.npos || host.find(']', colon) != host.npos) {
    return host.empty() || host.find('/') != host.npos
               ? ""
               : absl::StrCat(View(host), ":", default_port);
  }
  int port = 0;
  if (colon == 0 || host.find('/') != host.npos ||
      !absl::SimpleAtoi(View(host.substr(colon + 1)), &port) || port < 1 ||
      port > kMaxPort) {
    return "";
  }
  return std::string(host);
}

std::string_view SchemeOf(std::string_view url) {
  const size_t end = url.find("://");
  return end == url.npos ? std::string_view() : url.substr(0, end);
}

absl::StatusOr<EngineUrl> ParseEngineUrl(
    std::string_view url, std::string_view what, int default_port,
    const std::vector<std::string>& known) {
  EngineUrl parsed;
  parsed.scheme = SchemeOf(url);
  if (parsed.scheme.empty()) return WrongUrl(what, url, "it has no scheme");
  if (url.find('@') != url.npos) {
    return WrongUrl(what, absl::StrCat(parsed.scheme, "://..."),
                    "credentials are taken from the environment, not from a "
                    "URL");
  }
  if (!HasOnlyGraphs(url)) {
    return WrongUrl(what, absl::StrCat(parsed.scheme, "://..."),
                    "it has blanks or other characters that cannot be in a "
                    "URL");
  }
  const std::pair<std::string, std::string> parts = absl::StrSplit(
      View(url.substr(parsed.scheme.size() + 3)), absl::MaxSplits('?', 1));
  parsed.name = parts.first;
  if (const size_t slash = parsed.name.find('/'); slash != std::string::npos) {
    for (const absl::string_view host :
         absl::StrSplit(parsed.name.substr(0, slash), ',')) {
      parsed.hosts.push_back(
          WithPort({host.data(), host.size()}, default_port));
      if (parsed.hosts.back().empty()) {
        return WrongUrl(what, url,
                        absl::StrCat("'", host, "' is no HOST[:PORT]"));
      }
    }
    parsed.name.erase(0, slash + 1);
  }
  for (const absl::string_view pair :
       absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> named =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    if (std::find(known.begin(), known.end(), named.first) == known.end()) {
      return WrongUrl(
          what, url, absl::StrCat("there is no parameter '", named.first, "'"));
    }
    if (!parsed.parameters.emplace(named).second) {
      return WrongUrl(what, url, absl::StrCat(named.first, " is given twice"));
    }
  }
  return parsed;
}

}  // namespace wallprof::pgo
