#include "fleet/pgo/profile/unpack.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/gzip/whole_gzip.h"

namespace wallprof::pgo {

absl::Status Unpack(std::string_view bytes, size_t max_bytes,
                    std::string& message) {
  if (bytes.empty()) {
    return absl::InvalidArgumentError("there is no profile: nothing was sent");
  }
  absl::Status unpacked = fleet::UnpackWhole(bytes, max_bytes, message);
  if (unpacked.ok() && message.empty()) {
    return absl::InvalidArgumentError("the profile is empty");
  }
  if (unpacked.ok()) return unpacked;
  // One code means both there; here those who send need to know which.
  if (absl::StrContains(unpacked.message(),
                        absl::StrCat("more than ", max_bytes, " bytes"))) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the profile has more than ", max_bytes, " bytes when unpacked"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("this is no profile: ", unpacked.message()));
}

}  // namespace wallprof::pgo
