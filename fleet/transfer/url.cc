#include "fleet/transfer/url.h"

#include <curl/curl.h>

#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace wallprof::fleet {
namespace {

constexpr char kAfterScheme[] = "://";

using CurlUrl = std::unique_ptr<CURLU, void (*)(CURLU*)>;

// Where the authority begins and ends in `url`.
std::pair<size_t, size_t> AuthorityOf(const std::string& url) {
  const size_t scheme = url.find(kAfterScheme);
  const size_t begin =
      scheme == std::string::npos ? 0 : scheme + sizeof(kAfterScheme) - 1;
  return {begin, std::min(url.find_first_of("/?#", begin), url.size())};
}

}  // namespace

absl::Status CheckUrl(const std::string& url) {
  if (!absl::StartsWithIgnoreCase(url, "http://") &&
      !absl::StartsWithIgnoreCase(url, "https://")) {
    return absl::InvalidArgumentError("it must begin with http:// or https://");
  }
  const CurlUrl parsed(curl_url(), curl_url_cleanup);
  const CURLUcode code =
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
  if (code != CURLUE_OK) {
    return absl::InvalidArgumentError(
        absl::StrCat("it is no URL: ", curl_url_strerror(code)));
  }
  return absl::OkStatus();
}

bool IsLoopback(const std::string& url) {
  const CurlUrl parsed(curl_url(), curl_url_cleanup);
  char* part = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(),
                   CURLU_GUESS_SCHEME) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &part, 0) != CURLUE_OK) {
    return false;
  }
  const std::string host = part;
  curl_free(part);
  return absl::EqualsIgnoreCase(host, "localhost") || host == "[::1]" ||
         (absl::StartsWith(host, "127.") &&
          host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string WithParameter(const std::string& url, const std::string& name,
                          const std::string& value) {
  const absl::string_view whole =
      absl::string_view(url).substr(0, url.find('#'));
  const size_t query = whole.find('?');
  std::vector<absl::string_view> parameters;
  if (query != absl::string_view::npos) {
    for (const absl::string_view parameter :
         absl::StrSplit(whole.substr(query + 1), '&', absl::SkipEmpty())) {
      if (parameter.substr(0, parameter.find('=')) != name) {
        parameters.push_back(parameter);
      }
    }
  }
  const std::string ours = absl::StrCat(name, "=", value);
  parameters.push_back(ours);
  return absl::StrCat(whole.substr(0, query), "?",
                      absl::StrJoin(parameters, "&"));
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        absl::StrContains("-._~", c)) {
      escaped += c;
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string WithoutUser(const std::string& url) {
  const auto [begin, end] = AuthorityOf(url);
  const size_t at = url.substr(0, end).rfind('@');
  if (at == std::string::npos || at < begin) return url;
  return url.substr(0, begin) + url.substr(at + 1);
}

}  // namespace wallprof::fleet
