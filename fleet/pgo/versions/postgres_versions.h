// Versions in PostgreSQL: a row for each application, in the table
// wallprof_pgo_versions of the first schema of the search path.
#ifndef WALLPROF_FLEET_PGO_VERSIONS_POSTGRES_VERSIONS_H_
#define WALLPROF_FLEET_PGO_VERSIONS_POSTGRES_VERSIONS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/versions/base_versions.h"
#include "fleet/postgres/connection_pool.h"

namespace wallprof::pgo {

class PostgresVersions : public BaseVersions {
 public:
  // Makes the table if it is not there; several may do so at once. A call is
  // tried for `patience` where the server is away.
  static absl::StatusOr<std::unique_ptr<BaseVersions>> Open(
      std::string url, absl::Duration patience = absl::Seconds(10));

  absl::StatusOr<BaseVersion> Get(std::string_view app) override;
  absl::StatusOr<uint64_t> Replace(std::string_view app, uint64_t revision,
                                   std::string_view record) override;
  absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>> List()
      override;
  absl::Status Check() override;

 private:
  PostgresVersions(std::string url, absl::Duration patience)
      : pool_(std::move(url)), patience_(patience) {}

  absl::StatusOr<postgres::Rows> Run(absl::Duration patience,
                                     const std::string& sql,
                                     absl::Span<const std::string> parameters);

  postgres::ConnectionPool pool_;
  const absl::Duration patience_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_VERSIONS_POSTGRES_VERSIONS_H_
