#include "fleet/pgo/export/go.h"

#include <algorithm>

#include "absl/status/status.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {

absl::StatusOr<std::string> GoProfile(const Profile& profile) {
  const bool has_start_lines = std::any_of(
      profile.functions.begin(), profile.functions.end(),
      [](const Function& function) { return function.start_line != 0; });
  if (!has_start_lines) {
    return absl::FailedPreconditionError(
        "no function of the profile tells the line that it begins at, and go "
        "build -pgo refuses such a profile; Go programs tell it since Go 1.20");
  }
  Profile bare = profile;
  for (Sample& sample : bare.samples) sample.labels.clear();
  return Encode(bare, Format::kPprof);
}

}  // namespace wallprof::pgo
