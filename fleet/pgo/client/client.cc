#include "fleet/pgo/client/client.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace wallprof::pgo {
namespace {

using Json = nlohmann::json;

constexpr char kProfiles[] = "/api/profile";

// More than any build wants to read.
constexpr size_t kMaxBaseBytes = size_t{256} << 20;

// Of lists; an application takes a hundred bytes.
constexpr size_t kMaxListBytes = size_t{64} << 20;

// Of an answer that is not from such a server, in a message.
constexpr size_t kMaxForeignText = 200;

// A connection may be silent while the server reads and checks a profile.
constexpr absl::Duration kStall = absl::Seconds(30);

// Within what those wait who probe the health of what asks.
constexpr absl::Duration kCheckTimeout = absl::Seconds(4);

std::string AppPath(std::string_view app) {
  return absl::StrCat(kProfiles, "/", std::string(app));
}

// For a part of a query.
std::string Escape(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.') {
      escaped += c;
    } else {
      escaped += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return escaped;
}

// On one line, without what could drive a terminal.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  absl::StripAsciiWhitespace(&text);
  return text;
}

// What the server says went wrong.
std::string MessageOf(const fleet::TransferAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (json.is_object() && json.contains("message") &&
      json["message"].is_string()) {
    return OneLine(json["message"].get<std::string>());
  }
  return absl::StrCat("status ", answer.status, ": ",
                      OneLine(answer.body.substr(0, kMaxForeignText)));
}

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 413:
      return absl::StatusCode::kOutOfRange;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status Strange(const char* what) {
  return absl::UnavailableError(
      absl::StrCat("the answer is not of such a server: ", what));
}

absl::StatusOr<BaseInfo> InfoOf(const Json& json) {
  if (!json.is_object() || !json.contains("key") || !json["key"].is_string() ||
      !json.contains("size") || !json["size"].is_number_integer() ||
      !json.contains("lastModified") || !json["lastModified"].is_string()) {
    return Strange("a profile lacks key, size or lastModified");
  }
  BaseInfo info;
  info.app = OneLine(json["key"].get<std::string>());
  info.bytes = json["size"].get<int64_t>();
  if (!absl::ParseTime(absl::RFC3339_full,
                       json["lastModified"].get<std::string>(), &info.modified,
                       nullptr)) {
    return Strange("a profile's lastModified is no time");
  }
  return info;
}

}  // namespace

absl::Status CheckApiUrl(std::string_view url) {
  const auto wrong = [url](const char* why) {
    return absl::InvalidArgumentError(
        absl::StrCat("the URL '", std::string(url), "' ", why));
  };
  absl::string_view rest(url.data(), url.size());
  if (!absl::ConsumePrefix(&rest, "http://") &&
      !absl::ConsumePrefix(&rest, "https://")) {
    return wrong("must begin with http:// or https://");
  }
  const absl::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.empty()) return wrong("has no host");
  if (absl::StrContains(authority, '@')) {
    // Not shown: the URL has a secret.
    return absl::InvalidArgumentError(
        "a password does not belong into a URL; give a token");
  }
  for (const char c : rest) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '?' ||
        c == '#') {
      return wrong("must be a host and perhaps a path, no more");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  if (absl::Status s = CheckApiUrl(options.api_url); !s.ok()) return s;
  while (absl::EndsWith(options.api_url, "/")) options.api_url.pop_back();
  return std::unique_ptr<Client>(new Client(std::move(options)));
}

Client::Client(ClientOptions options)
    : options_(std::move(options)), transfer_([this] {
        fleet::TransferOptions transfer;
        transfer.stall = kStall;
        transfer.cancelled = options_.cancelled;
        transfer.certificates_file = options_.certificates;
        return transfer;
      }()) {}

absl::StatusOr<fleet::TransferAnswer> Client::Ask(
    fleet::TransferRequest request, std::string_view path) {
  request.url = absl::StrCat(options_.api_url, std::string(path));
  request.timeout = std::min(request.timeout, options_.timeout);
  if (options_.token) {
    const std::string token = options_.token();
    if (!token.empty()) request.headers["Authorization"] = "Bearer " + token;
  }
  absl::StatusOr<fleet::TransferAnswer> answer = transfer_.Send(request);
  const auto named = [this](absl::StatusCode code, absl::string_view message) {
    return absl::Status(code, absl::StrCat(options_.api_url, ": ", message));
  };
  if (!answer.ok()) {
    return named(answer.status().code(), answer.status().message());
  }
  if (answer->status == 200 || answer->status == 201) return answer;
  return named(CodeOf(answer->status), MessageOf(*answer));
}

absl::StatusOr<std::string> Client::Upload(std::string_view app,
                                           std::string_view bytes,
                                           std::string_view version,
                                           int64_t id) {
  fleet::TransferRequest request;
  request.method = "POST";
  request.body = bytes;
  request.max_bytes = kMaxListBytes;
  request.headers["Content-Type"] = "application/octet-stream";
  if (id != 0) request.headers["Idempotency-Key"] = absl::StrCat(id);
  std::string path = AppPath(app);
  if (!version.empty()) absl::StrAppend(&path, "?version=", Escape(version));
  const auto answer = Ask(std::move(request), path);
  if (!answer.ok()) return answer.status();
  const Json json = Json::parse(answer->body, nullptr, false);
  if (!json.is_object() || !json.contains("key") || !json["key"].is_string()) {
    return Strange("there is no key");
  }
  return OneLine(json["key"].get<std::string>());
}

absl::StatusOr<std::string> Client::Download(std::string_view app) {
  fleet::TransferRequest request;
  request.method = "GET";
  request.max_bytes = kMaxBaseBytes;
  auto answer = Ask(std::move(request), AppPath(app));
  if (!answer.ok()) return answer.status();
  return std::move(answer->body);
}

absl::StatusOr<std::vector<BaseInfo>> Client::List() {
  fleet::TransferRequest request;
  request.method = "GET";
  request.max_bytes = kMaxListBytes;
  const auto answer = Ask(std::move(request), kProfiles);
  if (!answer.ok()) return answer.status();
  const Json json = Json::parse(answer->body, nullptr, false);
  if (!json.is_object() || !json.contains("profiles") ||
      !json["profiles"].is_array()) {
    return Strange("there are no profiles");
  }
  std::vector<BaseInfo> list;
  for (const Json& one : json["profiles"]) {
    absl::StatusOr<BaseInfo> info = InfoOf(one);
    if (!info.ok()) return info.status();
    list.push_back(*std::move(info));
  }
  return list;
}

absl::Status Client::Delete(std::string_view app) {
  fleet::TransferRequest request;
  request.method = "DELETE";
  request.max_bytes = kMaxListBytes;
  return Ask(std::move(request), AppPath(app)).status();
}

absl::Status Client::Check() {
  fleet::TransferRequest request;
  request.method = "GET";
  request.max_bytes = kMaxListBytes;
  request.timeout = kCheckTimeout;
  return Ask(std::move(request), "/api/ready").status();
}

}  // namespace wallprof::pgo
