#include "fleet/pgo/profile/part.h"

#include <algorithm>
#include <utility>

#include "fleet/gzip/whole_gzip.h"
#include "fleet/pgo/profile/staged_form.h"
#include "fleet/pgo/profile/unpack.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::pgo {
namespace {

PprofMerger::Options SumOptions() {
  PprofMerger::Options options;
  options.any_order = true;
  options.drop_comments = true;
  options.max_memory_bytes = kMostSumBytes;
  options.max_message_bytes = kMostDecodedPartBytes;
  return options;
}

// A clock that is ahead would make all other profiles old.
absl::Time TimeOf(const StagedMessage& staged, absl::Time uploaded) {
  if (staged.time == absl::UnixEpoch()) return uploaded;
  return std::min(staged.time, uploaded);
}

}  // namespace

absl::StatusOr<StagedProfile> ReadStaged(std::string_view bytes,
                                         absl::Time uploaded,
                                         const AcceptLimits& limits) {
  StagedProfile profile;
  absl::Status unpacked = Unpack(bytes, limits.message_bytes, profile.message);
  if (!unpacked.ok()) return unpacked;
  absl::StatusOr<StagedMessage> staged =
      ReadStagedForm(profile.message, limits);
  if (!staged.ok()) {
    staged = ToStagedForm(profile.message, /*version=*/"", limits);
    if (!staged.ok()) return staged.status();
    profile.message = std::move(staged->message);
  }
  profile.time = TimeOf(*staged, uploaded);
  profile.version = std::move(staged->version);
  return profile;
}

class PartSum::State {
 public:
  PprofMerger merger{SumOptions()};
  std::string unpacked;
};

PartSum::PartSum() : state_(std::make_unique<State>()) {}
PartSum::~PartSum() = default;
PartSum::PartSum(PartSum&& other) noexcept = default;
PartSum& PartSum::operator=(PartSum&& other) noexcept = default;

absl::Status PartSum::AddPart(std::string_view bytes) {
  absl::Status unpacked = Unpack(bytes, kMostPartBytes, state_->unpacked);
  return unpacked.ok() ? Add(state_->unpacked) : unpacked;
}

absl::Status PartSum::Add(std::string_view message) {
  return state_->merger.Add(message);
}

absl::Status PartSum::Add(const PartSum& other) {
  return state_->merger.Add(other.state_->merger);
}

absl::StatusOr<std::string> PartSum::Finish() && {
  absl::StatusOr<std::string> message =
      std::move(state_->merger).FinishMessage();
  if (!message.ok()) return message;
  return fleet::PackWhole(*message);
}

}  // namespace wallprof::pgo
