#include "fleet/pgo/engines/nats_servers.h"

#include <stdlib.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace wallprof::pgo {
namespace {

constexpr char kServersVariable[] = "NATS_SERVER_URL";

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

// One of NATS_SERVER_URL: [nats://|tls://][USER:PASSWORD@|TOKEN@]HOST[:PORT].
// The host with its port; empty if it is none.
std::string TakeServer(std::string_view text, NatsServers& servers) {
  const std::string_view scheme = SchemeOf(text);
  if (!scheme.empty()) {
    if (scheme != "nats" && scheme != "tls") return "";
    servers.tls |= scheme == "tls";
    text.remove_prefix(scheme.size() + 3);
  }
  if (const size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view who = text.substr(0, at);
    const size_t colon = who.find(':');
    if (colon == who.npos) {
      servers.token = who;
    } else {
      servers.user = who.substr(0, colon);
      servers.password = who.substr(colon + 1);
    }
    text.remove_prefix(at + 1);
  }
  if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  return WithPort(text, kNatsPort);
}

}  // namespace

absl::StatusOr<NatsServers> FindNatsServers(const EngineUrl& url,
                                            std::string_view what,
                                            std::string_view text) {
  NatsServers servers;
  servers.tls = url.scheme == "tls";
  servers.user = Variable("NATS_USER");
  servers.password = Variable("NATS_PASSWORD");
  servers.token = Variable("NATS_TOKEN");
  servers.credentials_file = Variable("NATS_CREDS");
  servers.ca_file = Variable("NATS_CA");
  servers.certificate_file = Variable("NATS_CERT");
  servers.key_file = Variable("NATS_KEY");
  std::vector<std::string> hosts = url.hosts;
  if (hosts.empty()) {
    const std::string listed = Variable(kServersVariable);
    if (listed.empty()) {
      return WrongUrl(what, text,
                      absl::StrCat("it names no host, and ", kServersVariable,
                                   " is not set; nats://HOST:PORT/NAME has "
                                   "both"));
    }
    for (const absl::string_view one :
         absl::StrSplit(listed, ',', absl::SkipWhitespace())) {
      const absl::string_view bare = absl::StripAsciiWhitespace(one);
      hosts.push_back(TakeServer({bare.data(), bare.size()}, servers));
      if (hosts.back().empty()) {
        // What it has is not repeated: it may be a password.
        return WrongUrl(what, text,
                        absl::StrCat(kServersVariable,
                                     " must be nats://HOST:PORT, or several "
                                     "with commas between"));
      }
    }
  }
  if (servers.certificate_file.empty() != servers.key_file.empty()) {
    return WrongUrl(what, text, "NATS_CERT and NATS_KEY go together");
  }
  servers.place = absl::StrCat("NATS at ", absl::StrJoin(hosts, ","));
  for (const std::string& host : hosts) {
    servers.urls.push_back(
        absl::StrCat(servers.tls ? "tls://" : "nats://", host));
  }
  return servers;
}

}  // namespace wallprof::pgo
