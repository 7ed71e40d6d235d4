// Names of any bytes as one part of a path, and how bundles write times.
#ifndef WALLPROF_FLEET_BUNDLE_ESCAPE_H_
#define WALLPROF_FLEET_BUNDLE_ESCAPE_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace wallprof::bundle {

// As url.PathEscape of Go, so that its tools unescape it: letters, digits and
// -_.~$&+=:@ stay, other bytes are %XX. Unlike there, "." and ".." are escaped
// too, since unpacked they would be other directories.
std::string PathEscape(std::string_view name);

// The same for a name on disk, which may have 255 bytes: a longer one is cut,
// and ends in a checksum of the whole. One that is empty is "-".
std::string FileNameEscape(std::string_view name);

// UTC, "2026-01-02T03:04:05.678Z".
std::string FormatInstant(absl::Time time);

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_ESCAPE_H_
