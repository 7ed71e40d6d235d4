#include "fleet/collector/pyroscope.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "fleet/collector/envelope.h"
#include "fleet/collector/multipart.h"
#include "fleet/collector/pyroscope_name.h"
#include "http/response.h"
#include "wallprof/formats.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::collector {
namespace {

// Pyroscope's, where the sender does not say.
constexpr double kDefaultSampleRate = 100;

// Times are seconds, but some senders have finer ones: no second of ours is so
// large, no nanosecond so small.
constexpr double kFirstMillisecond = 1e11;
constexpr double kFirstMicrosecond = 1e14;
constexpr double kFirstNanosecond = 1e17;

absl::Status BadRequest(const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat("bad request: ", text));
}

absl::StatusOr<std::optional<absl::Time>> TakeTime(http::Query& parameters,
                                                   std::string_view name) {
  const std::optional<std::string> text = parameters.Take(name);
  if (!text.has_value()) return std::nullopt;
  double number = 0;
  if (!absl::SimpleAtod(*text, &number) || !std::isfinite(number) ||
      number < 0) {
    return BadRequest(absl::StrCat("bad \"", std::string(name), "\" ",
                                   http::Quoted(*text),
                                   ": seconds since 1970 expected"));
  }
  absl::Duration unit = absl::Seconds(1);
  if (number >= kFirstNanosecond) {
    unit = absl::Nanoseconds(1);
  } else if (number >= kFirstMicrosecond) {
    unit = absl::Microseconds(1);
  } else if (number >= kFirstMillisecond) {
    unit = absl::Milliseconds(1);
  }
  return absl::UnixEpoch() + number * unit;
}

// What a request says besides its profile.
struct Asked {
  store::Series series;
  std::optional<absl::Time> from;
  std::optional<absl::Time> until;
  std::string format;
  std::string units;
  double sample_rate = kDefaultSampleRate;
};

absl::StatusOr<Asked> TakeAsked(http::Query& parameters) {
  Asked asked;
  const std::optional<std::string> name = parameters.Take("name");
  if (!name.has_value()) return BadRequest("missing \"name\"");
  absl::StatusOr<store::Series> series = SeriesOfPyroscopeName(*name);
  if (!series.ok()) return series.status();
  asked.series = *std::move(series);
  const auto from = TakeTime(parameters, "from");
  if (!from.ok()) return from.status();
  asked.from = *from;
  const auto until = TakeTime(parameters, "until");
  if (!until.ok()) return until.status();
  asked.until = *until;
  asked.format = parameters.Take("format").value_or("");
  asked.units = parameters.Take("units").value_or("samples");
  if (const auto text = parameters.Take("sampleRate")) {
    if (!absl::SimpleAtod(*text, &asked.sample_rate) ||
        !(asked.sample_rate > 0) || !std::isfinite(asked.sample_rate)) {
      return BadRequest(absl::StrCat("bad \"sampleRate\" ", http::Quoted(*text),
                                     ": a number above 0 expected"));
    }
  }
  // They say how to draw it, which is known here, and who sent it.
  parameters.Take("aggregationType");
  parameters.Take("spyName");
  if (absl::Status s = parameters.CheckAllTaken(); !s.ok()) return s;
  return asked;
}

// Of `text`, whose lines are stacks, as many lines as there are, each seen
// once.
std::string Counted(std::string_view text) {
  std::string folded;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    if (line.empty()) continue;
    absl::StrAppend(&folded, line, " 1\n");
  }
  return folded;
}

// Folded stacks, whose weights are samples or what `units` counts, as a message
// of profile.proto.
absl::StatusOr<std::string> MessageOfFolded(const std::string& text,
                                            const Asked& asked) {
  absl::StatusOr<Profile> profile = DecodeFolded(text);
  if (!profile.ok()) return profile.status();
  // Weights were taken for microseconds.
  constexpr int64_t kNanosecondsPerWeight = 1000;
  const bool is_time = asked.units == "samples";
  const double nanoseconds = 1e9 / asked.sample_rate;
  for (Sample& sample : profile->samples) {
    const int64_t count = sample.values.back() / kNanosecondsPerWeight;
    sample.values = {count};
    if (is_time) {
      sample.values.push_back(std::llround(count * nanoseconds));
    }
  }
  if (is_time) {
    const ValueType time = {asked.series.type == "wall" ? "wall" : "cpu",
                            "nanoseconds"};
    profile->sample_types = {{"samples", "count"}, time};
    profile->period_type = time;
    profile->period = std::llround(nanoseconds);
  } else {
    profile->sample_types = {{asked.units, asked.units}};
    profile->period_type = profile->sample_types[0];
    profile->period = 1;
  }
  profile->default_sample_type = profile->sample_types.back().type;
  if (asked.from.has_value()) profile->time = *asked.from;
  if (asked.from.has_value() && asked.until.has_value()) {
    profile->duration =
        std::max(*asked.until - *asked.from, absl::ZeroDuration());
  }
  return UnpackPprof(EncodePprof(*profile), kMaxDecodedBytes);
}

// The profile within the body, which may be in parts.
absl::StatusOr<std::string_view> ProfileOf(const HttpRequest& request,
                                           std::string& format) {
  const auto type = request.headers.find("content-type");
  if (type == request.headers.end() || !IsMultipart(type->second)) {
    return std::string_view(request.body);
  }
  const auto parts = SplitForm(type->second, request.body);
  if (!parts.ok()) return parts.status();
  for (const FormPart& part : *parts) {
    if (part.name != "profile") continue;
    // Only pprof comes in parts.
    if (format.empty()) format = "pprof";
    return part.content;
  }
  return BadRequest("the body has no part \"profile\"");
}

}  // namespace

absl::StatusOr<HttpResponse> AnswerPyroscopeIngest(Context& context) {
  absl::StatusOr<Asked> asked = TakeAsked(context.parameters);
  if (!asked.ok()) return asked.status();
  const auto profile = ProfileOf(context.request, asked->format);
  if (!profile.ok()) return profile.status();
  Sent sent;
  sent.created_at = asked->from;
  std::string message;
  if (asked->format == "pprof") {
    sent.body = *profile;
    // Without a kind in its name it is what most senders send.
    if (asked->series.type == "other") asked->series.type = "cpu";
  } else if (asked->format.empty() || asked->format == "folded" ||
             asked->format == "lines") {
    if (asked->series.type == "other") asked->series.type = "cpu";
    absl::StatusOr<std::string> made = MessageOfFolded(
        asked->format == "lines" ? Counted(*profile) : std::string(*profile),
        *asked);
    if (!made.ok()) {
      return BadRequest(
          absl::StrCat("bad profile: ", std::string(made.status().message())));
    }
    message = *std::move(made);
    sent.body = message;
  } else {
    return BadRequest(
        absl::StrCat("format ", http::Quoted(asked->format),
                     " is not taken: pprof, folded or lines expected"));
  }
  sent.series = std::move(asked->series);
  const auto info = context.shared.ingest.Keep(sent, context.now);
  if (!info.ok()) return info.status();
  return Bytes(http::kPlainText, "", "");
}

}  // namespace wallprof::collector
