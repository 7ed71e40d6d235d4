// Engines of versions by their URL.
//
//   nats://HOST:PORT[,HOST:PORT]/BUCKET   a JetStream key-value bucket, made if
//                                         it is not there
//   postgres://USER@HOST/DATABASE         a table, made likewise
//   file:///DIRECTORY                     for processes of one machine
#ifndef WALLPROF_FLEET_PGO_VERSIONS_OPEN_H_
#define WALLPROF_FLEET_PGO_VERSIONS_OPEN_H_

#include <memory>
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

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_VERSIONS_OPEN_H_
