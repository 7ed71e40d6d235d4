#include "fleet/pgo/profile/staged_form.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/pgo/profile/addresses.h"
#include "fleet/pgo/profile/columns.h"
#include "profiler/encode/foreign/recognize.h"
#include "profiler/encode/merge/read_tables.h"
#include "profiler/encode/merge/sum_header.h"
#include "profiler/encode/pprof_message.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::pgo {
namespace {

absl::Status BeyondLimit(std::string_view what, size_t count, int64_t most) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the profile has ", count, " ", std::string(what),
                   "; at most ", most, " are taken"));
}

// A few bytes can ask for many: what is only too large is told apart from what
// is wrong.
absl::Status NoProfile(const absl::Status& why) {
  if (absl::StrContains(why.message(), "bytes in memory")) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the profile would take more than ", kMaxDecodedBytes,
                     " bytes in memory"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("this is no profile: ", why.message()));
}

absl::Status ReadFacts(std::string_view message, const AcceptLimits& limits,
                       PprofTables& tables) {
  absl::Status read =
      ReadTables(message, kMaxDecodedBytes, SamplesKept::kNone, tables);
  if (!read.ok()) return NoProfile(read);
  if (tables.all_samples > static_cast<size_t>(limits.samples)) {
    return BeyondLimit("samples", tables.all_samples, limits.samples);
  }
  if (tables.max_depth > static_cast<size_t>(limits.depth)) {
    return BeyondLimit("frames in a stack", tables.max_depth, limits.depth);
  }
  return absl::OkStatus();
}

// The version that a comment tells, and be it none.
std::optional<std::string_view> VersionIn(const PprofTables& tables) {
  for (uint32_t comment : tables.comments) {
    std::string_view text = tables.StringAt(comment);
    if (text.substr(0, kVersionComment.size()) == kVersionComment) {
      return text.substr(kVersionComment.size());
    }
  }
  return std::nullopt;
}

// That of the main binary, which comes first. Whatever else stands there is no
// offence of the profile's.
std::string_view BuildIdIn(const PprofTables& tables) {
  if (tables.mappings.empty()) return {};
  std::string_view id = tables.StringAt(tables.mappings[0].build_id);
  return CheckVersion(id).ok() ? id : std::string_view();
}

absl::StatusOr<std::string> ChooseVersion(std::string_view given,
                                          const PprofTables& tables) {
  std::string_view version = given;
  if (version.empty()) {
    version = VersionIn(tables).value_or(BuildIdIn(tables));
  }
  if (absl::Status s = CheckVersion(version); !s.ok()) return s;
  return std::string(version);
}

// Leaves out what compilers do not read, and what would be another in each
// process.
absl::Status Reduce(const std::string& version, int64_t most_total,
                    Profile& profile) {
  absl::Status s = KeepCpuColumns(profile, most_total);
  if (!s.ok()) return s;
  for (Sample& sample : profile.samples) sample.labels.clear();
  MoveToFileAddresses(profile);
  profile.time = std::max(profile.time, absl::UnixEpoch());
  profile.duration = std::max(profile.duration, absl::ZeroDuration());
  profile.doc_url.clear();
  profile.comments = {absl::StrCat(std::string(kVersionComment), version)};
  return absl::OkStatus();
}

// One sample for each stack, and all in the order of any sum.
absl::StatusOr<std::string> InOrder(const Profile& profile) {
  PprofMerger::Options options;
  options.any_order = true;
  PprofMerger merger(options);
  absl::Status added = merger.Add(EncodePprofMessage(profile));
  if (!added.ok()) return added;
  return std::move(merger).FinishMessage();
}

bool HasStagedTypes(const PprofTables& tables) {
  const SumHeader header = HeaderOf(tables);
  return header.sample_types ==
             std::vector<ValueType>{{kSamples, kCount}, {kCpu, kNanoseconds}} &&
         header.period_type == ValueType{kCpu, kNanoseconds} &&
         header.period >= 0 && header.default_sample_type == kCpu;
}

bool HasStagedValues(const PprofTables& tables, int64_t most_total) {
  const auto is_sound = [most_total](const PprofTables::Column& column) {
    return !column.has_negative && column.total <= most_total;
  };
  return std::all_of(tables.columns.begin(), tables.columns.end(), is_sound) &&
         tables.all_samples > 0 &&
         tables.columns[kCpuColumn].nonzero == tables.all_samples;
}

bool HasFileAddresses(const PprofTables& tables) {
  return std::all_of(tables.mappings.begin(), tables.mappings.end(),
                     [](const PprofTables::Mapping& mapping) {
                       return ShiftToFile(mapping.start, mapping.limit,
                                          mapping.file_offset) == 0;
                     });
}

bool IsBare(const PprofTables& tables) {
  return tables.max_labels == 0 && tables.doc_url == 0 &&
         tables.time_nanos >= 0 && tables.duration_nanos >= 0;
}

bool HasStagedComment(const PprofTables& tables) {
  const std::optional<std::string_view> version = VersionIn(tables);
  return tables.comments.size() == 1 && version.has_value() &&
         CheckVersion(*version).ok();
}

// What gperftools writes, as pprof has it.
absl::StatusOr<std::string> ReadGperftools(std::string_view bytes) {
  absl::StatusOr<Profile> profile = DecodeGperftoolsCpu(bytes);
  if (!profile.ok()) return NoProfile(profile.status());
  return EncodePprofMessage(*profile);
}

}  // namespace

absl::Status CheckVersion(std::string_view version) {
  if (version.size() > kMostVersionBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the version has ", version.size(), " bytes; at most ",
                     kMostVersionBytes, " are taken"));
  }
  const bool is_printable =
      std::all_of(version.begin(), version.end(), [](char c) {
        return absl::ascii_isprint(static_cast<unsigned char>(c));
      });
  if (!is_printable) {
    return absl::InvalidArgumentError(
        "the version has a character that is not printable ASCII");
  }
  return absl::OkStatus();
}

absl::StatusOr<StagedMessage> ToStagedForm(std::string_view message,
                                           std::string_view version,
                                           const AcceptLimits& limits) {
  std::string converted;
  if (IsGperftoolsCpu(message)) {
    absl::StatusOr<std::string> read = ReadGperftools(message);
    if (!read.ok()) return read.status();
    converted = *std::move(read);
    message = converted;
  }
  PprofTables tables;
  if (absl::Status s = ReadFacts(message, limits, tables); !s.ok()) return s;
  absl::StatusOr<std::string> chosen = ChooseVersion(version, tables);
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<Profile> profile =
      DecodePprofMessage(message, kMaxDecodedBytes);
  if (!profile.ok()) return profile.status();
  if (absl::Status s = Reduce(*chosen, limits.total, *profile); !s.ok())
    return s;
  absl::StatusOr<std::string> ordered = InOrder(*profile);
  if (!ordered.ok()) return ordered.status();
  absl::StatusOr<StagedMessage> staged = ReadStagedForm(*ordered, limits);
  if (!staged.ok()) return staged.status();
  staged->message = *std::move(ordered);
  return staged;
}

absl::StatusOr<StagedMessage> ReadStagedForm(std::string_view message,
                                             const AcceptLimits& limits) {
  PprofTables tables;
  if (absl::Status s = ReadFacts(message, limits, tables); !s.ok()) return s;
  if (!HasStagedTypes(tables) || !HasStagedValues(tables, limits.total) ||
      !IsBare(tables) || !HasFileAddresses(tables) ||
      !HasStagedComment(tables)) {
    return absl::InvalidArgumentError("not in the staged form");
  }
  StagedMessage staged;
  staged.version = std::string(*VersionIn(tables));
  staged.time = absl::FromUnixNanos(tables.time_nanos);
  staged.samples = static_cast<int64_t>(tables.all_samples);
  staged.cpu_ns = tables.columns[kCpuColumn].total;
  return staged;
}

}  // namespace wallprof::pgo
