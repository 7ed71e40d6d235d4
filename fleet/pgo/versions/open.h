// Engines of versions by their URL.
//
//   nats://HOST:PORT[,HOST:PORT]/BUCKET   a JetStream key-value bucket, made if
//                                         it is not there; tls:// likewise
//   nats://BUCKET                         the same at NATS_SERVER_URL
//   postgres://USER@HOST/DATABASE         a table, made likewise; password as
//   in
//                                         PGPASSWORD
//   file:///DIRECTORY                     for processes of one machine
//
// Credentials of NATS are as for events: see engines/nats_servers.h.
#ifndef WALLPROF_FLEET_PGO_VERSIONS_OPEN_H_
#define WALLPROF_FLEET_PGO_VERSIONS_OPEN_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/pgo/versions/base_versions.h"

namespace wallprof::pgo {

// InvalidArgument naming what of a URL is wrong. Makes no connection.
absl::Status CheckVersionsUrl(std::string_view url);

// As above, and errors of BaseVersions where the engine cannot be reached for a
// while at the start; later it may come and go.
absl::StatusOr<std::unique_ptr<BaseVersions>> OpenBaseVersions(
    std::string_view url);

// The versions that go with an event bus where none are named: the bucket
// wallprof-pgo of the same NATS. nullopt where the bus keeps nothing of the
// kind.
std::optional<std::string> VersionsUrlBeside(std::string_view event_url);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_VERSIONS_OPEN_H_
