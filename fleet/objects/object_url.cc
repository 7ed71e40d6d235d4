#include "fleet/objects/object_url.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
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

// Those that gocloud.dev has for S3 are taken too, with its names.
constexpr const char* kParameters[] = {"endpoint",
                                       "region",
                                       "style",
                                       "prefix",
                                       "disableSSL",
                                       "disable_https",
                                       "s3ForcePathStyle",
                                       "use_path_style",
                                       "hostname_immutable",
                                       "awssdk"};

using Parameters = std::map<std::string, std::string>;

// With %2F and the like in place of what they stand for; false if it cannot be.
bool Decode(std::string& value) {
  std::string decoded;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '%') {
      decoded += value[i];
      continue;
    }
    const std::string hex = value.substr(i + 1, 2);
    if (hex.size() < 2 ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(hex[0])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(hex[1]))) {
      return false;
    }
    decoded += absl::HexStringToBytes(hex);
    i += 2;
  }
  value = std::move(decoded);
  return true;
}

absl::StatusOr<Parameters> ParseParameters(std::string_view query,
                                           std::string_view url) {
  Parameters parameters;
  for (const absl::string_view pair :
       absl::StrSplit(View(query), '&', absl::SkipEmpty())) {
    std::pair<std::string, std::string> named =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const auto& [name, value] = named;
    if (std::find(std::begin(kParameters), std::end(kParameters), name) ==
        std::end(kParameters)) {
      return Wrong(absl::StrCat("there is no parameter '", name,
                                "'; there are endpoint, region and style"),
                   url);
    }
    if (value.empty()) return Wrong(absl::StrCat(name, " is empty"), url);
    if (!Decode(named.second)) {
      return Wrong(absl::StrCat(name, " has a '%' that stands for nothing"),
                   url);
    }
    if (!parameters.emplace(named).second) {
      return Wrong(absl::StrCat(name, " is given twice"), url);
    }
  }
  return parameters;
}

// What gocloud.dev's parameters come to in ours: "endpoint" with its scheme and
// "style".
absl::Status Translate(Parameters& parameters, std::string_view url) {
  const auto flag = [&](const char* name) -> absl::StatusOr<bool> {
    const std::string& value = parameters[name];
    if (value == "true" || value == "1") return true;
    if (value == "false" || value == "0") return false;
    return Wrong(absl::StrCat(name, " must be true or false"), url);
  };
  bool is_plain = false;
  for (const char* name : {"disableSSL", "disable_https"}) {
    if (parameters.count(name) == 0) continue;
    const auto value = flag(name);
    if (!value.ok()) return value.status();
    is_plain |= *value;
  }
  std::string& endpoint = parameters["endpoint"];
  if (!endpoint.empty() && !absl::StrContains(endpoint, "://")) {
    endpoint = absl::StrCat(is_plain ? "http://" : "https://", endpoint);
  } else if (is_plain && !absl::StartsWith(endpoint, "http://")) {
    return Wrong("without TLS there must be an endpoint of http://", url);
  }
  for (const char* name :
       {"s3ForcePathStyle", "use_path_style", "hostname_immutable"}) {
    if (parameters.count(name) == 0) continue;
    const auto value = flag(name);
    if (!value.ok()) return value.status();
    // A name that may change is not yet one that must.
    if (!*value && name == std::string_view("hostname_immutable")) continue;
    std::string& style = parameters["style"];
    const std::string wanted = *value ? "path" : "host";
    if (!style.empty() && style != wanted) {
      return Wrong(absl::StrCat(name, " contradicts what is beside it"), url);
    }
    style = wanted;
  }
  return absl::OkStatus();
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

absl::Status CheckScheme(std::string_view url) {
  for (const auto& [scheme, name] :
       {std::pair{"gs://", "Google Cloud Storage"},
        std::pair{"azblob://", "Azure Blob Storage"}}) {
    if (absl::StartsWith(View(url), scheme)) {
      return Wrong(absl::StrCat(name,
                                " is not supported; use s3://BUCKET, with "
                                "?endpoint= for what speaks S3"),
                   url);
    }
  }
  return absl::StartsWith(View(url), "s3://")
             ? absl::OkStatus()
             : Wrong("must begin with s3://", url);
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
  if (absl::Status spoken = CheckScheme(url); !spoken.ok()) return spoken;
  absl::ConsumePrefix(&rest, "s3://");
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
  if (absl::Status translated = Translate(*parameters, url); !translated.ok()) {
    return translated;
  }
  ObjectUrl parsed;
  const auto given = [&](const char* name, const std::string& otherwise) {
    const std::string& value = (*parameters)[name];
    return value.empty() ? otherwise : value;
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
  if (const std::string beside = given("prefix", ""); !beside.empty()) {
    if (!prefix.empty() || beside.back() != '/') {
      return Wrong(
          "prefix must end with '/', and the path be empty where there is one",
          url);
    }
    prefix = beside;
  }
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
