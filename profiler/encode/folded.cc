#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "profiler/encode/lines.h"
#include "profiler/profile/frames.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/sample_types.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/stack_sums.h"
#include "profiler/profile/view.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

constexpr int64_t kNanosecondsPerMicrosecond = 1000;

// The largest weight that still fits as nanoseconds when it is read again.
constexpr int64_t kMaxMicroseconds =
    std::numeric_limits<int64_t>::max() / kNanosecondsPerMicrosecond;

// Half a microsecond goes away from zero.
int64_t RoundToMicroseconds(int64_t nanoseconds) {
  int64_t whole = nanoseconds / kNanosecondsPerMicrosecond;
  int64_t rest = nanoseconds % kNanosecondsPerMicrosecond;
  if (rest >= kNanosecondsPerMicrosecond / 2) ++whole;
  if (rest <= -kNanosecondsPerMicrosecond / 2) --whole;
  return std::clamp(whole, -kMaxMicroseconds, kMaxMicroseconds);
}

// `weights` is one number, or those of a difference's two sides.
std::string LineOf(const Stack& stack, const std::string& weights,
                   const std::vector<std::string>& names) {
  size_t size = 0;
  for (uint32_t frame : stack) size += names[frame].size() + 1;
  std::string line;
  line.reserve(size + weights.size() + 1);
  for (uint32_t frame : stack) {
    line += names[frame];
    line += ';';
  }
  line.back() = ' ';
  absl::StrAppend(&line, weights, "\n");
  return line;
}

// Cuts the number off the end of `line`; in nanoseconds.
absl::StatusOr<int64_t> TakeWeight(std::string_view& line) {
  size_t space = line.rfind(' ');
  if (space == std::string_view::npos) {
    return absl::InvalidArgumentError("no weight at its end");
  }
  std::string_view digits = line.substr(space + 1);
  int64_t weight = 0;
  auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  if (error == std::errc::result_out_of_range ||
      (error == std::errc() &&
       __builtin_mul_overflow(weight, kNanosecondsPerMicrosecond, &weight))) {
    return absl::InvalidArgumentError("its weight is too large");
  }
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return absl::InvalidArgumentError("its weight is not a whole number");
  }
  line = line.substr(0, space);
  return weight;
}

// Whether `line` ends in a number as EncodeFolded writes it, which is cut off.
bool TakesWrittenWeight(std::string_view& line) {
  std::string_view whole = line;
  absl::StatusOr<int64_t> weight = TakeWeight(line);
  return weight.ok() &&
         whole.substr(line.size() + 1) ==
             std::to_string(*weight / kNanosecondsPerMicrosecond);
}

// Whether every line is another stack with two weights, as those of a
// difference are. A name may end in a number, but not the last one of every
// stack.
bool HasTwoWeights(std::string_view text) {
  absl::flat_hash_set<std::string_view> stacks;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (line.empty()) continue;
    if (!TakesWrittenWeight(line) || !TakesWrittenWeight(line) ||
        line.empty() || line.back() == ';' || !stacks.insert(line).second) {
      return false;
    }
  }
  return !stacks.empty();
}

// Builds a profile from stacks of names.
class FoldedDecoder {
 public:
  explicit FoldedDecoder(bool two_weights) : two_weights_(two_weights) {
    profile_.sample_types = {{"samples", "count"}, {"wall", kNanoseconds}};
    profile_.default_sample_type = "wall";
    profile_.period_type = {"wall", kNanoseconds};
  }

  absl::Status AddLine(std::string_view line) {
    absl::StatusOr<int64_t> weight = TakeWeight(line);
    if (!weight.ok()) return weight.status();
    absl::StatusOr<int64_t> base = 0;
    if (two_weights_) base = TakeWeight(line);
    if (!base.ok()) return base.status();
    absl::StatusOr<std::vector<uint64_t>> stack = LocationsOf(line);
    if (!stack.ok()) return stack.status();
    AddSample(*stack, /*count=*/1, *weight);
    if (two_weights_) AddSample(*stack, /*count=*/-1, -*base);
    return absl::OkStatus();
  }

  Profile Take() && { return std::move(profile_); }

 private:
  // Leaf first.
  absl::StatusOr<std::vector<uint64_t>> LocationsOf(std::string_view stack) {
    std::vector<uint64_t> locations;
    size_t begin = 0;
    while (begin <= stack.size()) {
      size_t end = std::min(stack.find(';', begin), stack.size());
      if (end == begin) return absl::InvalidArgumentError("an empty frame");
      locations.push_back(LocationOf(stack.substr(begin, end - begin)));
      begin = end + 1;
    }
    std::reverse(locations.begin(), locations.end());
    return locations;
  }

  // One location and one function for each name, under the same id.
  uint64_t LocationOf(std::string_view name) {
    auto [known, is_new] =
        location_ids_.try_emplace(name, profile_.locations.size() + 1);
    uint64_t id = known->second;
    if (is_new) {
      Function function;
      function.id = id;
      function.name = function.system_name = std::string(name);
      profile_.functions.push_back(std::move(function));
      Location location;
      location.id = id;
      location.lines = {{id}};
      profile_.locations.push_back(std::move(location));
    }
    return id;
  }

  // A negative count is the base's.
  void AddSample(const std::vector<uint64_t>& stack, int64_t count,
                 int64_t weight) {
    auto [known, is_new] =
        samples_.try_emplace(std::pair(stack, count), profile_.samples.size());
    if (is_new) {
      profile_.samples.push_back({stack, {0, 0}, {}});
      if (count < 0) {
        profile_.samples.back().labels.push_back({kBaseKey, kBaseText});
      }
    }
    std::vector<int64_t>& values = profile_.samples[known->second].values;
    values[0] += count;
    values[1] = SaturatingAdd(values[1], weight);
  }

  const bool two_weights_;
  Profile profile_;
  absl::flat_hash_map<std::string_view, uint64_t> location_ids_;
  absl::flat_hash_map<std::pair<std::vector<uint64_t>, int64_t>, size_t>
      samples_;
};

}  // namespace

std::string EncodeFolded(const Profile& profile, const FoldedOptions& options) {
  ViewColumn column = ColumnOrDefault(profile, options.view);
  bool nanoseconds = column.type.unit == kNanoseconds;
  bool difference = IsDifference(profile);
  Frames frames(profile, options.lines);
  absl::flat_hash_map<Stack, StackWeight> weights =
      SumStacks(profile, column, options.threads, frames);

  std::vector<std::string> lines;
  lines.reserve(weights.size());
  size_t size = 0;
  for (const auto& [stack, weight] : weights) {
    StackWeight shown = weight;
    if (nanoseconds) {
      shown = {RoundToMicroseconds(weight.before),
               RoundToMicroseconds(weight.after)};
    }
    if (shown.before == 0 && shown.after == 0) continue;
    std::string text = difference ? absl::StrCat(shown.before, " ", shown.after)
                                  : absl::StrCat(shown.after);
    lines.push_back(LineOf(stack, text, frames.names().names()));
    size += lines.back().size();
  }
  // Whole lines: a frame may contain what sorts before the final space.
  std::sort(lines.begin(), lines.end());
  std::string folded;
  folded.reserve(size);
  for (const std::string& line : lines) folded += line;
  return folded;
}

absl::StatusOr<Profile> DecodeFolded(std::string_view text) {
  FoldedDecoder decoder(HasTwoWeights(text));
  int64_t number = 0;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    ++number;
    if (line.empty()) continue;
    if (absl::Status s = decoder.AddLine(line); !s.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", s.message()));
    }
  }
  return std::move(decoder).Take();
}

}  // namespace wallprof
