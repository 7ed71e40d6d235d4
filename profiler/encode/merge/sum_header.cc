#include "profiler/encode/merge/sum_header.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "profiler/profile/sample_types.h"

namespace wallprof {

SumHeader HeaderOf(const PprofTables& tables) {
  SumHeader header;
  header.profiles = 1;
  for (PprofTables::Type type : tables.types) {
    header.sample_types.push_back(tables.ValueTypeOf(type));
  }
  header.drop_frames = tables.StringAt(tables.drop_frames);
  header.keep_frames = tables.StringAt(tables.keep_frames);
  header.default_sample_type = tables.StringAt(tables.default_type);
  header.doc_url = tables.StringAt(tables.doc_url);
  header.period_type = tables.ValueTypeOf(tables.period_type);
  header.period = tables.period;
  header.time_nanos = tables.time_nanos;
  header.duration = absl::Nanoseconds(tables.duration_nanos);
  return header;
}

absl::Status CheckCompatible(const SumHeader& sum, const SumHeader& added) {
  if (sum.profiles == 0 || added.profiles == 0) return absl::OkStatus();
  if (sum.period_type != added.period_type) {
    return absl::InvalidArgumentError(
        absl::StrCat("incompatible period types ", ToString(sum.period_type),
                     " and ", ToString(added.period_type)));
  }
  if (sum.sample_types != added.sample_types) {
    return absl::InvalidArgumentError(
        absl::StrCat("incompatible sample types ", ToString(sum.sample_types),
                     " and ", ToString(added.sample_types)));
  }
  return absl::OkStatus();
}

namespace {

void KeepText(std::string& kept, const std::string& added, Decides decides) {
  if (added.empty()) return;
  if (kept.empty() || (decides == Decides::kContent && added < kept)) {
    kept = added;
  }
}

// They mean something together only.
void KeepLeastFrames(SumHeader& sum, const SumHeader& added) {
  if (added.drop_frames.empty() && added.keep_frames.empty()) return;
  const bool has_none = sum.drop_frames.empty() && sum.keep_frames.empty();
  if (has_none || std::tie(added.drop_frames, added.keep_frames) <
                      std::tie(sum.drop_frames, sum.keep_frames)) {
    sum.drop_frames = added.drop_frames;
    sum.keep_frames = added.keep_frames;
  }
}

}  // namespace

void AddHeader(SumHeader& sum, const SumHeader& added, Decides decides) {
  if (added.profiles == 0) return;
  if (sum.profiles == 0) {
    sum = added;
    // A sum's period is never less than 0, and neither is that of one profile.
    sum.period = std::max<int64_t>(0, added.period);
    return;
  }
  sum.profiles += added.profiles;
  if (sum.time_nanos == 0 ||
      (added.time_nanos != 0 && added.time_nanos < sum.time_nanos)) {
    sum.time_nanos = added.time_nanos;
  }
  sum.duration += added.duration;
  sum.period = std::max(sum.period, added.period);
  KeepText(sum.default_sample_type, added.default_sample_type, decides);
  KeepText(sum.doc_url, added.doc_url, decides);
  if (decides == Decides::kContent) KeepLeastFrames(sum, added);
}

}  // namespace wallprof
