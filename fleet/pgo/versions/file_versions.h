// Versions in a directory: a file for each application, replaced whole, under a
// lock that the processes of one machine share.
#ifndef WALLPROF_FLEET_PGO_VERSIONS_FILE_VERSIONS_H_
#define WALLPROF_FLEET_PGO_VERSIONS_FILE_VERSIONS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/pgo/versions/base_versions.h"

namespace wallprof::pgo {

class FileVersions : public BaseVersions {
 public:
  // Makes the directory if it is missing.
  static absl::StatusOr<std::unique_ptr<BaseVersions>> Open(
      std::string directory);

  absl::StatusOr<BaseVersion> Get(std::string_view app) override;
  absl::StatusOr<uint64_t> Replace(std::string_view app, uint64_t revision,
                                   std::string_view record) override;
  absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>> List()
      override;
  absl::Status Check() override;

 private:
  explicit FileVersions(std::string directory)
      : directory_(std::move(directory)) {}

  const std::string directory_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_VERSIONS_FILE_VERSIONS_H_
