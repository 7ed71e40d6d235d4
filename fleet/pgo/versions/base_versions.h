// Which base an application has now: one small record for each application,
// replaced by compare-and-swap. All else that belongs to a base is in objects
// that are written once, under names of their own; a base changes in the moment
// in which its record does.
#ifndef WALLPROF_FLEET_PGO_VERSIONS_BASE_VERSIONS_H_
#define WALLPROF_FLEET_PGO_VERSIONS_BASE_VERSIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::pgo {

struct BaseVersion {
  // Text; empty where there is no base, never or not any more.
  std::string record;

  // Changes with every replacement, and never returns to what it was. 0 only
  // where there never was a record.
  uint64_t revision = 0;
};

inline constexpr size_t kMaxRecordBytes = 16 << 10;

// InvalidArgument unless both can be.
absl::Status CheckReplacement(std::string_view app, std::string_view record);

// Thread-safe, and safe with other processes that use the same engine. Errors:
// Unavailable where the engine could not be reached for a while,
// PermissionDenied, DataLoss for what cannot be read.
class BaseVersions {
 public:
  virtual ~BaseVersions() = default;

  // Never older than what a Replace() that returned ok before has written.
  virtual absl::StatusOr<BaseVersion> Get(std::string_view app) = 0;

  // Replaces the record if its revision is still `revision`, and returns the
  // new one. Aborted if it is not. After Unavailable it may have been replaced
  // or not. An empty record: there is no base any more.
  virtual absl::StatusOr<uint64_t> Replace(std::string_view app,
                                           uint64_t revision,
                                           std::string_view record) = 0;

  // All that have a record, by name.
  virtual absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>>
  List() = 0;

  // Whether the engine can be reached now, for /api/health; returns within
  // seconds.
  virtual absl::Status Check() = 0;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_VERSIONS_BASE_VERSIONS_H_
