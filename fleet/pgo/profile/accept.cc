#include "fleet/pgo/profile/accept.h"

#include <utility>

#include "fleet/gzip/whole_gzip.h"
#include "fleet/pgo/profile/staged_form.h"
#include "fleet/pgo/profile/unpack.h"

namespace wallprof::pgo {

absl::StatusOr<AcceptedProfile> AcceptProfile(std::string_view body,
                                              std::string_view version,
                                              const AcceptLimits& limits) {
  std::string message;
  absl::Status unpacked = Unpack(body, limits.message_bytes, message);
  if (!unpacked.ok()) return unpacked;
  absl::StatusOr<StagedMessage> staged = ToStagedForm(message, version, limits);
  if (!staged.ok()) return staged.status();
  AcceptedProfile accepted;
  accepted.bytes = fleet::PackWhole(staged->message);
  accepted.version = std::move(staged->version);
  accepted.samples = staged->samples;
  accepted.cpu_ns = staged->cpu_ns;
  return accepted;
}

}  // namespace wallprof::pgo
