#include "fleet/pgo/versions/open.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fleet/pgo/engines/engine_url.h"
#include "fleet/pgo/engines/nats_servers.h"
#include "fleet/pgo/versions/file_versions.h"
#include "fleet/pgo/versions/nats_versions.h"
#include "fleet/pgo/versions/postgres_versions.h"

namespace wallprof::pgo {
namespace {

constexpr char kWhat[] = "version store";
constexpr char kBucket[] = "wallprof-pgo";
constexpr char kFile[] = "file://";

bool IsNats(std::string_view url) {
  return SchemeOf(url) == "nats" || SchemeOf(url) == "tls";
}

bool IsPostgres(std::string_view url) {
  return SchemeOf(url) == "postgres" || SchemeOf(url) == "postgresql";
}

bool IsBucket(std::string_view name) {
  bool good = !name.empty();
  for (const unsigned char c : name) {
    good &= absl::ascii_isalnum(c) || c == '-' || c == '_';
  }
  return good;
}

struct NatsBucket {
  NatsServers servers;
  std::string bucket;
};

absl::StatusOr<NatsBucket> ParseNats(std::string_view url) {
  auto parsed = ParseEngineUrl(url, kWhat, kNatsPort, {});
  if (!parsed.ok()) return parsed.status();
  if (!IsBucket(parsed->name)) {
    return WrongUrl(kWhat, url,
                    "the bucket must be letters, digits, '-' and '_'");
  }
  auto servers = FindNatsServers(*parsed, kWhat, url);
  if (!servers.ok()) return servers.status();
  return NatsBucket{*std::move(servers), std::move(parsed->name)};
}

// The directory, with its slash.
absl::StatusOr<std::string> ParseFile(std::string_view url) {
  const std::string_view directory = url.substr(sizeof(kFile) - 1);
  if (directory.size() < 2 || directory.front() != '/' ||
      directory.find('?') != directory.npos) {
    return WrongUrl(kWhat, url, "it must be file:///DIRECTORY");
  }
  return std::string(directory);
}

}  // namespace

absl::Status CheckVersionsUrl(std::string_view url) {
  if (IsNats(url)) return ParseNats(url).status();
  if (IsPostgres(url)) return postgres::Connection::CheckUrl(std::string(url));
  if (SchemeOf(url) == "file") return ParseFile(url).status();
  return WrongUrl(kWhat,
                  SchemeOf(url).empty()
                      ? std::string(url)
                      : absl::StrCat(std::string(SchemeOf(url)), "://..."),
                  "it must begin with nats://, tls://, postgres:// or file://");
}

absl::StatusOr<std::unique_ptr<BaseVersions>> OpenBaseVersions(
    std::string_view url) {
  if (absl::Status good = CheckVersionsUrl(url); !good.ok()) return good;
  if (IsPostgres(url)) return PostgresVersions::Open(std::string(url));
  if (!IsNats(url)) return FileVersions::Open(*ParseFile(url));
  auto nats = *ParseNats(url);
  return NatsVersions::Open(std::move(nats.servers), std::move(nats.bucket));
}

std::optional<std::string> VersionsUrlBeside(std::string_view event_url) {
  if (!IsNats(event_url)) return std::nullopt;
  const std::string_view place = event_url.substr(0, event_url.find('?'));
  const size_t hosts = SchemeOf(place).size() + 3;
  const size_t slash = place.find('/', hosts);
  return absl::StrCat(
      std::string(place.substr(0, slash == place.npos ? hosts : slash + 1)),
      kBucket);
}

}  // namespace wallprof::pgo
