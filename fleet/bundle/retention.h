// Which bundles of a program are kept on disk, and the removal of the rest.
#ifndef WALLPROF_FLEET_BUNDLE_RETENTION_H_
#define WALLPROF_FLEET_BUNDLE_RETENTION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace wallprof::bundle {

struct Retention {
  absl::Duration keep_for;
  int64_t keep_bytes;
};

// Of the names under which bundles are written before they have their own.
inline constexpr std::string_view kTemporaryPrefix = ".wallprof-";
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// Removes bundles of `program_directory` (DIR/<program>) beyond the bounds, the
// oldest first, but for `newest`; what dead writers left; and directories of
// processes and hosts that became empty. Only what has the form of ours is
// looked at; symbolic links are not followed. Returns how many bundles went.
// What cannot be removed stays, and is tried again next time.
int64_t RemoveExpired(const std::string& program_directory,
                      const std::string& newest, const Retention& retention,
                      absl::Time now);

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_RETENTION_H_
