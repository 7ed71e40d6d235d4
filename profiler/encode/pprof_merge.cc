#include "wallprof/pprof_merge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_message.h"
#include "wallprof/merge.h"

namespace wallprof {

absl::StatusOr<PprofFacts> CheckPprof(std::string_view message,
                                      size_t max_bytes) {
  absl::StatusOr<Profile> profile = DecodePprofMessage(message, max_bytes);
  if (!profile.ok()) return profile.status();
  PprofFacts facts;
  facts.sample_types = profile->sample_types;
  facts.default_sample_type = profile->default_sample_type;
  facts.period_type = profile->period_type;
  facts.period = profile->period;
  facts.time = profile->time;
  facts.duration = profile->duration;
  facts.samples = profile->samples.size();
  for (const Sample& sample : profile->samples) {
    facts.max_depth = std::max(facts.max_depth, sample.location_ids.size());
    facts.max_labels_per_sample =
        std::max(facts.max_labels_per_sample, sample.labels.size());
  }
  facts.mappings = profile->mappings.size();
  facts.locations = profile->locations.size();
  facts.functions = profile->functions.size();
  return facts;
}

std::string PackPprof(std::string_view message) { return Gzip(message); }

absl::StatusOr<std::string> UnpackPprof(std::string_view bytes,
                                        size_t max_bytes) {
  if (!IsGzip(bytes)) {
    if (bytes.size() <= max_bytes) return std::string(bytes);
    return absl::InvalidArgumentError(
        absl::StrCat("decompressing profile: more than ", max_bytes, " bytes"));
  }
  absl::StatusOr<std::string> message = Gunzip(bytes, max_bytes);
  if (message.ok()) return message;
  return absl::InvalidArgumentError(
      absl::StrCat("decompressing profile: ", message.status().message()));
}

class PprofMerger::Sum {
 public:
  explicit Sum(const Options& options) : options(options) {}

  Options options;
  std::vector<Profile> profiles;
};

PprofMerger::PprofMerger() : PprofMerger(Options()) {}
PprofMerger::PprofMerger(const Options& options)
    : sum_(std::make_unique<Sum>(options)) {}
PprofMerger::~PprofMerger() = default;
PprofMerger::PprofMerger(PprofMerger&& other) noexcept = default;
PprofMerger& PprofMerger::operator=(PprofMerger&& other) noexcept = default;

absl::Status PprofMerger::Add(std::string_view message) {
  absl::StatusOr<Profile> profile =
      DecodePprofMessage(message, sum_->options.max_message_bytes);
  if (!profile.ok()) return profile.status();
  if (!sum_->profiles.empty()) {
    std::vector<Profile> both = {sum_->profiles[0], *profile};
    for (Profile& part : both) part.samples.clear();
    absl::StatusOr<Profile> sum = Merge(both);
    if (!sum.ok()) return sum.status();
  }
  sum_->profiles.push_back(*std::move(profile));
  return absl::OkStatus();
}

absl::Status PprofMerger::Add(const PprofMerger& other) {
  sum_->profiles.insert(sum_->profiles.end(), other.sum_->profiles.begin(),
                        other.sum_->profiles.end());
  return absl::OkStatus();
}

size_t PprofMerger::count() const { return sum_->profiles.size(); }

size_t PprofMerger::memory_bytes() const { return 0; }

absl::StatusOr<Profile> PprofMerger::Finish() && {
  return Merge(sum_->profiles);
}

absl::StatusOr<std::string> PprofMerger::FinishEncoded() && {
  absl::StatusOr<Profile> sum = Merge(sum_->profiles);
  if (!sum.ok()) return sum.status();
  return EncodePprof(*sum);
}

absl::StatusOr<std::string> PprofMerger::FinishMessage() && {
  absl::StatusOr<Profile> sum = Merge(sum_->profiles);
  if (!sum.ok()) return sum.status();
  return EncodePprofMessage(*sum);
}

}  // namespace wallprof
