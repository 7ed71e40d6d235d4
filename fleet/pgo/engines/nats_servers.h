// Which NATS servers, and as whom.
#ifndef WALLPROF_FLEET_PGO_ENGINES_NATS_SERVERS_H_
#define WALLPROF_FLEET_PGO_ENGINES_NATS_SERVERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/pgo/engines/engine_url.h"

namespace wallprof::pgo {

inline constexpr int kNatsPort = 4222;

struct NatsServers {
  std::vector<std::string> urls;  // "nats://HOST:PORT"
  bool tls = false;
  std::string place;  // "NATS at HOST:PORT,HOST:PORT", for those who read logs

  // Empty where they are not given.
  std::string user, password, token;
  std::string credentials_file, ca_file, certificate_file, key_file;
};

// Those of a URL with the scheme nats or tls; where it names no host, those of
// NATS_SERVER_URL, which may have several with commas between, and user and
// password. Else credentials are, as the tools of NATS have it, NATS_USER and
// NATS_PASSWORD, NATS_TOKEN, or a file NATS_CREDS; NATS_CA, NATS_CERT and
// NATS_KEY are files for TLS. InvalidArgument as ParseEngineUrl.
absl::StatusOr<NatsServers> FindNatsServers(const EngineUrl& url,
                                            std::string_view what,
                                            std::string_view text);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_ENGINES_NATS_SERVERS_H_
