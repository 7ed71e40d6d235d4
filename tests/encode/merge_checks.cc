#include "tests/encode/merge_checks.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/encode/pprof_message.h"
#include "wallprof/merge.h"
#include "wallprof/pprof_merge.h"

namespace wallprof {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

std::vector<std::string_view> MessagesIn(std::string_view bytes) {
  std::vector<std::string_view> messages;
  while (bytes.size() >= 2) {
    size_t size =
        static_cast<uint8_t>(bytes[0]) | static_cast<uint8_t>(bytes[1]) << 8;
    messages.push_back(bytes.substr(2, size));
    bytes.remove_prefix(2 + messages.back().size());
  }
  return messages;
}

void CheckFacts(const PprofFacts& facts, const Profile& profile) {
  size_t depth = 0;
  size_t labels = 0;
  for (const Sample& sample : profile.samples) {
    depth = std::max(depth, sample.location_ids.size());
    labels = std::max(labels, sample.labels.size());
  }
  Require(facts.sample_types == profile.sample_types &&
              facts.default_sample_type == profile.default_sample_type &&
              facts.period_type == profile.period_type &&
              facts.period == profile.period && facts.time == profile.time &&
              facts.duration == profile.duration,
          "facts are those of the profile");
  Require(facts.samples == profile.samples.size() && facts.max_depth == depth &&
              facts.max_labels_per_sample == labels &&
              facts.mappings == profile.mappings.size() &&
              facts.locations == profile.locations.size() &&
              facts.functions == profile.functions.size(),
          "counts are those of the profile");
}

// Whether sums of these stay within int64 in any order.
bool AreSmall(const std::vector<Profile>& profiles) {
  constexpr int64_t kSmall = int64_t{1} << 40;
  for (const Profile& profile : profiles) {
    for (const Sample& sample : profile.samples) {
      for (int64_t value : sample.values) {
        if (value > kSmall || value < -kSmall) return false;
      }
    }
  }
  return true;
}

// Messages that were added, and the profiles that they are.
struct AddedUp {
  std::vector<std::string_view> messages;
  std::vector<Profile> profiles;
};

// Adds `message` if it can be; whether it can, and why not, must be as it is
// for decoding and merging.
void AddChecked(std::string_view message, PprofMerger& merger, AddedUp& added) {
  absl::StatusOr<Profile> profile =
      DecodePprofMessage(message, kMaxDecodedBytes);
  absl::StatusOr<PprofFacts> facts = CheckPprof(message);
  Require(facts.status() == profile.status(), "refusals are the decoder's");
  absl::Status expected = profile.status();
  if (profile.ok()) {
    CheckFacts(*facts, *profile);
    added.profiles.push_back(*profile);
    expected = Merge(added.profiles).status();
    if (!expected.ok()) added.profiles.pop_back();
  }
  Require(merger.Add(message) == expected, "what can be merged can be added");
  if (expected.ok()) added.messages.push_back(message);
  Require(merger.count() == added.messages.size(), "what is added is counted");
}

// Two mergers, one for each half, make the same.
void CheckHalves(const AddedUp& added, const std::string& sum) {
  PprofMerger first;
  PprofMerger second;
  for (size_t i = 0; i < added.messages.size(); ++i) {
    PprofMerger& half = i < added.messages.size() / 2 ? first : second;
    Require(half.Add(added.messages[i]).ok(), "what was added can be again");
  }
  Require(first.Add(second).ok(), "halves can be added");
  absl::StatusOr<std::string> message = std::move(first).FinishMessage();
  Require(message.ok() && *message == sum, "the sum of halves is the sum");
}

bool AreNotNegative(const std::vector<Profile>& profiles) {
  for (const Profile& profile : profiles) {
    if (profile.duration < absl::ZeroDuration()) return false;
    for (const Sample& sample : profile.samples) {
      for (int64_t value : sample.values) {
        if (value < 0) return false;
      }
    }
  }
  return true;
}

std::string SumInAnyOrder(const std::vector<std::string_view>& messages) {
  PprofMerger::Options options;
  options.any_order = true;
  PprofMerger merger(options);
  for (std::string_view message : messages) {
    Require(merger.Add(message).ok(), "what was added can be in any order");
  }
  absl::StatusOr<std::string> sum = std::move(merger).FinishMessage();
  Require(sum.ok(), "there is a sum in any order");
  return *sum;
}

// All at once, backwards, or going on with a sum that was written.
void CheckAnyOrder(std::vector<std::string_view> messages) {
  const std::string sum = SumInAnyOrder(messages);
  Require(SumInAnyOrder({sum}) == sum, "the sum of one is that one");
  std::reverse(messages.begin(), messages.end());
  Require(SumInAnyOrder(messages) == sum, "the order does not matter");
  const std::string_view last = messages.back();
  messages.pop_back();
  if (messages.empty()) return;
  const std::string rest = SumInAnyOrder(messages);
  Require(SumInAnyOrder({rest, last}) == sum, "groups do not matter");
}

}  // namespace

void CheckPprofMerge(std::string_view bytes) {
  PprofMerger merger;
  AddedUp added;
  for (std::string_view message : MessagesIn(bytes)) {
    AddChecked(message, merger, added);
  }
  absl::StatusOr<Profile> merged = Merge(added.profiles);
  absl::StatusOr<std::string> sum = std::move(merger).FinishMessage();
  Require(sum.status() == merged.status(), "there is a sum or there is none");
  if (!sum.ok()) return;
  Require(*sum == EncodePprofMessage(*merged), "the sum is what Merge makes");
  if (!AreSmall(added.profiles)) return;
  CheckHalves(added, *sum);
  if (AreNotNegative(added.profiles)) CheckAnyOrder(added.messages);
}

}  // namespace wallprof
