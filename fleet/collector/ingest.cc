#include "fleet/collector/ingest.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "fleet/collector/profile_type.h"
#include "fleet/gzip/whole_gzip.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::collector {
namespace {

// Why an empty profile is refused, in profefe's words.
constexpr char kNoSamples[] = "profile is empty: no samples";

absl::Status Malformed(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "malformed profile (could not parse pprof profile: ", std::string(why),
      ")"));
}

absl::Status CheckName(std::string_view what, const std::string& name,
                       size_t max_bytes) {
  if (name.size() > max_bytes) {
    return absl::OutOfRangeError(absl::StrCat(std::string(what), " has ",
                                              name.size(), " bytes; at most ",
                                              max_bytes, " are taken"));
  }
  const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (has_control) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bad request: ", std::string(what), " has a control character"));
  }
  return absl::OkStatus();
}

absl::Status CheckAtMost(std::string_view what, size_t count, int64_t most) {
  if (count <= static_cast<size_t>(most)) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("the profile has ", count, " ",
                                            std::string(what), "; at most ",
                                            most, " are taken"));
}

absl::Status CheckFacts(const PprofFacts& facts, const Limits& limits) {
  if (facts.samples == 0) return Malformed(kNoSamples);
  absl::Status s = CheckAtMost("samples", facts.samples, limits.samples);
  if (s.ok()) {
    s = CheckAtMost("frames in a stack", facts.max_depth, limits.depth);
  }
  if (s.ok()) {
    s = CheckAtMost("labels at a sample", facts.max_labels_per_sample,
                    limits.labels);
  }
  return s;
}

// What tells a profile from all others: nothing that is not sent, so that it is
// the same when it is sent again.
std::string OriginOf(const Sent& sent) {
  if (!sent.sender_id.empty()) {
    return absl::StrCat("sender:", std::string(sent.sender_id));
  }
  std::string origin = "content:";
  const auto add = [&origin](std::string_view part) {
    absl::StrAppend(&origin, part.size(), ":");
    origin.append(part);
  };
  add(sent.series.service);
  add(sent.series.type);
  for (const auto& [key, value] : sent.series.labels) {
    add(key);
    add(value);
  }
  add(sent.body);
  return origin;
}

bool IsGzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

}  // namespace

Ingest::Ingest(store::ProfileStore& store, const Limits& limits)
    : store_(store), limits_(limits), series_limit_(store, limits.series) {}

absl::Status Ingest::CheckSeries(const store::Series& series) const {
  absl::Status s =
      CheckName("the service's name", series.service, limits_.name_bytes);
  if (s.ok() && series.labels.size() > static_cast<size_t>(limits_.labels)) {
    return absl::OutOfRangeError(
        absl::StrCat("there are ", series.labels.size(), " labels; at most ",
                     limits_.labels, " are taken"));
  }
  for (const auto& [key, value] : series.labels) {
    if (s.ok()) s = CheckName("a label's key", key, limits_.name_bytes);
    if (s.ok()) {
      s = CheckName(absl::StrCat("the value of label ", key), value,
                    limits_.name_bytes);
    }
  }
  return s;
}

absl::Status Ingest::CheckTime(absl::Time created_at, absl::Time now) const {
  if (created_at > now + limits_.clock_skew) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad request: the profile's time ",
                     absl::FormatTime(created_at, absl::UTCTimeZone()),
                     " is more than ", absl::FormatDuration(limits_.clock_skew),
                     " ahead of the collector's clock, which has ",
                     absl::FormatTime(now, absl::UTCTimeZone())));
  }
  const bool has_age = limits_.age > absl::ZeroDuration();
  if (created_at < absl::UnixEpoch() ||
      (has_age && created_at < now - limits_.age)) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad request: the profile's time ",
                     absl::FormatTime(created_at, absl::UTCTimeZone()),
                     " is before all that is kept here"));
  }
  return absl::OkStatus();
}

absl::StatusOr<store::ProfileInfo> Ingest::Keep(const Sent& sent,
                                                absl::Time now) {
  if (absl::Status s = CheckSeries(sent.series); !s.ok()) return s;
  absl::Time created_at = sent.created_at.value_or(now);
  store::NewProfile profile;
  std::string unpacked;
  profile.message = sent.body;
  if (IsPprof(sent.series.type)) {
    if (IsGzip(sent.body)) {
      absl::StatusOr<std::string> message =
          fleet::UnpackWhole(sent.body, limits_.message_bytes);
      if (!message.ok())
        return Malformed(std::string(message.status().message()));
      unpacked = *std::move(message);
      profile.message = unpacked;
      profile.gzipped = sent.body;
    }
    const absl::StatusOr<PprofFacts> facts = CheckPprof(profile.message);
    if (!facts.ok()) return Malformed(std::string(facts.status().message()));
    if (absl::Status s = CheckFacts(*facts, limits_); !s.ok()) return s;
    if (facts->time > absl::UnixEpoch()) created_at = facts->time;
  } else if (sent.body.empty()) {
    return absl::InvalidArgumentError("bad request: the body is empty");
  }
  created_at = absl::FromUnixSeconds(absl::ToUnixSeconds(created_at));
  if (absl::Status s = CheckTime(created_at, now); !s.ok()) return s;
  if (absl::Status s = series_limit_.Admit(sent.series); !s.ok()) return s;

  profile.info.id = store::MakeProfileId(created_at, OriginOf(sent));
  profile.info.series = sent.series;
  profile.info.created_at = created_at;
  const absl::StatusOr<bool> is_new = store_.Add(profile);
  if (!is_new.ok()) return is_new.status();
  return profile.info;
}

}  // namespace wallprof::collector
