#include "cli/fetch_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace wallprof::cli {
namespace {

constexpr char kUnix[] = "unix:";

using CurlUrl = std::unique_ptr<CURLU, void (*)(CURLU*)>;

CurlUrl NewUrl() { return CurlUrl(curl_url(), curl_url_cleanup); }

std::string PartOf(const CurlUrl& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

std::optional<std::string> FindParameter(const CurlUrl& url,
                                         const std::string& name) {
  for (absl::string_view pair :
       absl::StrSplit(PartOf(url, CURLUPART_QUERY), '&')) {
    std::pair<std::string, std::string> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    if (parts.first == name) return parts.second;
  }
  return std::nullopt;
}

bool IsNumber(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c));
  });
}

// As a URL, which may still be a wrong one.
std::string WithScheme(const std::string& address) {
  if (absl::StrContains(address, "://")) return address;
  std::string port(absl::StripPrefix(address, ":"));
  if (IsNumber(port)) return absl::StrCat("http://127.0.0.1:", port, "/");
  return absl::StrCat("http://", address);
}

}  // namespace

absl::StatusOr<FetchUrl> MakeFetchUrl(
    const std::string& address, const std::vector<Parameter>& parameters) {
  FetchUrl result;
  std::string text = address;
  if (absl::StartsWith(address, kUnix)) {
    result.unix_socket = address.substr(sizeof(kUnix) - 1);
    text = "localhost";
  }
  CurlUrl url = NewUrl();
  CURLUcode code =
      curl_url_set(url.get(), CURLUPART_URL, WithScheme(text).c_str(), 0);
  std::string scheme = PartOf(url, CURLUPART_SCHEME);
  if (code == CURLUE_OK && scheme != "http" && scheme != "https") {
    code = CURLUE_UNSUPPORTED_SCHEME;
  }
  if (code != CURLUE_OK || address == kUnix) {
    return absl::InvalidArgumentError(absl::StrCat(
        address, " is neither HOST:PORT nor unix:/path nor a URL of HTTP"));
  }
  for (const Parameter& parameter : parameters) {
    if (FindParameter(url, parameter.name).has_value()) {
      if (parameter.is_default) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(parameter.name, " is in the URL already"));
    }
    std::string pair = absl::StrCat(parameter.name, "=", parameter.value);
    curl_url_set(url.get(), CURLUPART_QUERY, pair.c_str(), CURLU_APPENDQUERY);
  }
  result.url = PartOf(url, CURLUPART_URL);
  return result;
}

std::string ParameterOf(const std::string& url, const std::string& name) {
  CurlUrl parsed = NewUrl();
  curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
  return FindParameter(parsed, name).value_or("");
}

}  // namespace wallprof::cli
