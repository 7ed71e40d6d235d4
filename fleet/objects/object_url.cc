#include "fleet/objects/object_url.h"

#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace wallprof::objects {
namespace {

constexpr size_t kMaxKeyBytes = 1024;  // of S3

// S3's rules for buckets, of which the others' are a part.
constexpr size_t kMinBucketBytes = 3;
constexpr size_t kMaxBucketBytes = 63;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

absl::Status Wrong(std::string_view what, std::string_view url) {
  return absl::InvalidArgumentError(
      absl::StrCat("object store ", View(url), ": ", View(what)));
}

bool IsBucket(std::string_view name) {
  if (name.size() < kMinBucketBytes || name.size() > kMaxBucketBytes) {
    return false;
  }
  for (const char c : name) {
    if (!absl::ascii_islower(static_cast<unsigned char>(c)) &&
        !absl::ascii_isdigit(static_cast<unsigned char>(c)) && c != '-' &&
        c != '.') {
      return false;
    }
  }
  return name.front() != '-' && name.front() != '.';
}

absl::StatusOr<std::map<std::string, std::string>> ParseParameters(
    std::string_view query, std::string_view url) {
  std::map<std::string, std::string> parameters;
  for (const absl::string_view pair :
       absl::StrSplit(View(query), '&', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> named =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const auto& [name, value] = named;
    if (name != "endpoint" && name != "region" && name != "style") {
      return Wrong(absl::StrCat("there is no parameter '", name,
                                "'; there are endpoint, region and style"),
                   url);
    }
    if (value.empty()) return Wrong(absl::StrCat(name, " is empty"), url);
    if (!parameters.emplace(name, value).second) {
      return Wrong(absl::StrCat(name, " is given twice"), url);
    }
  }
  return parameters;
}

// Scheme and authority of "http://host:port".
absl::Status ParseEndpoint(std::string_view endpoint, std::string_view url,
                           ObjectUrl& parsed) {
  absl::string_view rest = View(endpoint);
  for (const char* scheme : {"http", "https"}) {
    if (absl::ConsumePrefix(&rest, absl::StrCat(scheme, "://"))) {
      parsed.scheme = scheme;
    }
  }
  if (parsed.scheme.empty()) {
    return Wrong("the endpoint must begin with http:// or https://", url);
  }
  absl::ConsumeSuffix(&rest, "/");
  if (rest.empty()) return Wrong("the endpoint has no host", url);
  if (absl::StrContains(rest, '@')) {
    return Wrong("credentials are taken from the environment, not from a URL",
                 "s3://...");
  }
  for (const char c : rest) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '/' ||
        c == '?' || c == '#') {
      return Wrong("the endpoint must be a host, with a port if need be", url);
    }
  }
  parsed.authority = std::string(rest);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKey(std::string_view key) {
  const auto wrong = [key](const char* why) {
    return absl::InvalidArgumentError(
        absl::StrCat("the key '", View(key), "' ", why));
  };
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return wrong("must have 1 to 1024 bytes");
  }
  for (const char c : key) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return wrong("has a control character");
    }
  }
  for (const absl::string_view step : absl::StrSplit(View(key), '/')) {
    if (step.empty() || step == "." || step == "..") {
      return wrong("has an empty, '.' or '..' step");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ObjectUrl> ParseObjectUrl(std::string_view url) {
  absl::string_view rest = View(url);
  if (!absl::ConsumePrefix(&rest, "s3://")) {
    return Wrong("must begin with s3://", url);
  }
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(rest, absl::MaxSplits('?', 1));
  const std::pair<std::string, std::string> place =
      absl::StrSplit(parts.first, absl::MaxSplits('/', 1));
  const std::string& bucket = place.first;
  if (absl::StrContains(bucket, '@')) {
    return Wrong("credentials are taken from the environment, not from a URL",
                 "s3://...");
  }
  if (!IsBucket(bucket)) {
    return Wrong(
        "the bucket's name must have 3 to 63 lower-case letters, "
        "digits, '-' and '.'",
        url);
  }
  auto parameters = ParseParameters(parts.second, url);
  if (!parameters.ok()) return parameters.status();
  ObjectUrl parsed;
  const auto given = [&](const char* name, const std::string& otherwise) {
    const auto found = parameters->find(name);
    return found == parameters->end() ? otherwise : found->second;
  };
  parsed.region = given("region", "us-east-1");
  const std::string endpoint = given("endpoint", "");
  const std::string style = given("style", endpoint.empty() ? "host" : "path");
  if (style != "host" && style != "path") {
    return Wrong("style must be host or path", url);
  }
  const absl::Status located = ParseEndpoint(
      endpoint.empty()
          ? absl::StrCat("https://s3.", parsed.region, ".amazonaws.com")
          : endpoint,
      url, parsed);
  if (!located.ok()) return located;
  std::string prefix = place.second;
  if (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  if (!prefix.empty()) {
    if (absl::Status checked = CheckKey(prefix); !checked.ok()) {
      return Wrong(std::string(checked.message()), url);
    }
    parsed.prefix = prefix + "/";
  }
  if (style == "host") {
    parsed.authority = absl::StrCat(bucket, ".", parsed.authority);
    parsed.root = "";
  } else {
    parsed.root = absl::StrCat("/", bucket);
  }
  return parsed;
}

}  // namespace wallprof::objects
