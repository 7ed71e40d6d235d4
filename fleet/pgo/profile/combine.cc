#include "fleet/pgo/profile/combine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/gzip/whole_gzip.h"
#include "fleet/pgo/profile/columns.h"
#include "fleet/pgo/profile/part.h"
#include "fleet/pgo/profile/unpack.h"
#include "fleet/pgo/profile/weighted_sum.h"
#include "profiler/encode/merge/read_tables.h"
#include "profiler/encode/pprof_message.h"
#include "wallprof/merge.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::pgo {
namespace {

// What rules made of a base.
struct PrunedBase {
  std::string message;
  double share = 0;  // of CPU time in stacks that were cut
};

absl::StatusOr<std::string> AddUp(const std::vector<WeightedPart>& parts) {
  WeightedSum sum;
  std::string message;
  for (const WeightedPart& part : parts) {
    absl::Status s = Unpack(part.bytes, kMostPartBytes, message);
    if (s.ok()) s = sum.Add(message, part.weight);
    if (!s.ok()) return s;
  }
  return std::move(sum).Finish();
}

double ShareOf(int64_t part, int64_t whole) {
  return whole == 0 ? 0
                    : static_cast<double>(part) / static_cast<double>(whole);
}

// How many frames each sample has.
std::vector<size_t> FramesOf(const Profile& profile) {
  std::vector<size_t> lines(profile.locations.size() + 1);
  for (const Location& location : profile.locations) {
    lines[location.id] = std::max<size_t>(1, location.lines.size());
  }
  std::vector<size_t> frames;
  for (const Sample& sample : profile.samples) {
    size_t count = 0;
    for (uint64_t id : sample.location_ids) count += lines[id];
    frames.push_back(count);
  }
  return frames;
}

absl::StatusOr<PrunedBase> PruneBase(std::string_view message,
                                     std::string_view app,
                                     const PruneRules& rules) {
  // Written here, so that ids are 1 to n.
  absl::StatusOr<Profile> profile =
      DecodePprofMessage(message, kMostDecodedPartBytes);
  if (!profile.ok()) return profile.status();
  const std::vector<size_t> before = FramesOf(*profile);
  rules.CutStacks(app, *profile);
  const std::vector<size_t> after = FramesOf(*profile);
  int64_t cut = 0;
  int64_t all = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const int64_t time = profile->samples[i].values[kCpuColumn];
    all += time;
    if (after[i] < before[i]) cut += time;
  }
  PprofMerger::Options options;
  options.any_order = true;
  options.max_memory_bytes = kMostSumBytes;
  options.max_message_bytes = kMostDecodedPartBytes;
  PprofMerger merger(options);
  absl::Status added = merger.Add(EncodePprofMessage(*profile));
  if (!added.ok()) return added;
  absl::StatusOr<std::string> pruned = std::move(merger).FinishMessage();
  if (!pruned.ok()) return pruned.status();
  return PrunedBase{*std::move(pruned), ShareOf(cut, all)};
}

// The innermost frame of a sample says where its time is spent.
absl::StatusOr<Quality> QualityOf(std::string_view message) {
  PprofTables tables;
  absl::Status s =
      ReadTables(message, kMostDecodedPartBytes, SamplesKept::kAll, tables);
  if (!s.ok()) return s;
  Quality quality;
  quality.stacks = static_cast<int64_t>(tables.samples.size());
  quality.functions = static_cast<int64_t>(tables.functions.size());
  quality.samples = tables.columns[kSamplesColumn].total;
  quality.cpu_ns = tables.columns[kCpuColumn].total;
  int64_t named = 0;
  int64_t with_lines = 0;
  uint32_t begin = 0;
  for (size_t i = 0; i < tables.samples.size(); ++i) {
    const uint32_t leaf = begin;
    begin = tables.samples[i].locations_end;
    if (leaf == begin) continue;  // no frames
    const PprofTables::Location& location =
        tables.locations[tables.sample_locations[leaf]];
    if (location.lines_begin == location.lines_end) continue;
    const PprofTables::Line& line = tables.lines[location.lines_begin];
    const PprofTables::Function& function = tables.functions[line.function];
    if (tables.StringAt(function.name).empty()) continue;
    const int64_t time = tables.values[i * kColumns + kCpuColumn];
    named += time;
    if (line.line > 0 && function.start_line > 0) with_lines += time;
  }
  quality.named = ShareOf(named, quality.cpu_ns);
  quality.with_lines = ShareOf(with_lines, quality.cpu_ns);
  return quality;
}

}  // namespace

void Quality::AddTo(fleet::LogLine& line) const {
  const auto percent = [](double share) {
    return int64_t{std::lround(share * 100)};
  };
  line.Add("bytes", static_cast<int64_t>(bytes))
      .Add("stacks", stacks)
      .Add("functions", functions)
      .Add("samples", samples)
      .Add("cpu_ns", cpu_ns)
      .Add("named_percent", percent(named))
      .Add("with_lines_percent", percent(with_lines))
      .Add("pruned_percent", percent(pruned));
}

absl::StatusOr<CombinedBase> CombineParts(
    const std::vector<WeightedPart>& parts, std::string_view app,
    const PruneRules& rules) {
  absl::StatusOr<std::string> message = AddUp(parts);
  if (!message.ok()) return message.status();
  double pruned_share = 0;
  if (rules.HasRulesFor(app)) {
    absl::StatusOr<PrunedBase> pruned = PruneBase(*message, app, rules);
    if (!pruned.ok()) return pruned.status();
    message = std::move(pruned->message);
    pruned_share = pruned->share;
  }
  absl::StatusOr<Quality> quality = QualityOf(*message);
  if (!quality.ok()) return quality.status();
  CombinedBase base;
  base.bytes = fleet::PackWhole(*message);
  base.quality = *std::move(quality);
  base.quality.bytes = base.bytes.size();
  base.quality.pruned = pruned_share;
  return base;
}

}  // namespace wallprof::pgo
