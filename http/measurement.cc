#include "http/measurement.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "http/response.h"
#include "wallprof/filter.h"

namespace wallprof::http {

namespace {

// The limits that Options has for the profiler's own rate.
constexpr int kMaxFrequencyHz = 1000;

absl::Status Malformed(std::string_view name, std::string_view expected,
                       std::string_view value) {
  return absl::InvalidArgumentError(
      absl::StrCat("Parameter '", std::string(name), "' must be ",
                   std::string(expected), ", not ", Quoted(value), "."));
}

// Digits with, at most, a fraction: "30", "0.5". No sign, exponent or blank.
bool IsDecimal(std::string_view text) {
  size_t point = std::min(text.find('.'), text.size());
  auto are_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
  };
  return are_digits(text.substr(0, point)) &&
         (point == text.size() || are_digits(text.substr(point + 1)));
}

absl::StatusOr<absl::Duration> ParseSeconds(const std::string& text,
                                            absl::Duration max_seconds) {
  if (const auto duration = SecondsOf(text, max_seconds)) return *duration;
  return Malformed("seconds",
                   absl::StrCat("a decimal number more than 0 and at most ",
                                absl::ToDoubleSeconds(max_seconds)),
                   text);
}

absl::StatusOr<int> ParseFrequency(const std::string& text) {
  int frequency_hz = 0;
  if (IsDecimal(text) && absl::SimpleAtoi(text, &frequency_hz) &&
      frequency_hz >= 1 && frequency_hz <= kMaxFrequencyHz) {
    return frequency_hz;
  }
  return Malformed("hz", absl::StrCat("a whole number, 1 to ", kMaxFrequencyHz),
                   text);
}

absl::StatusOr<View> ParseView(std::string_view name, const std::string& text) {
  if (const std::optional<View> view = ViewOfName(text)) return *view;
  return Malformed(name, "wall, cpu, offcpu or blockedby", text);
}

absl::StatusOr<Format> ParseFormat(const std::string& text) {
  if (std::optional<Format> format = FormatOfName(text)) return *format;
  return Malformed(
      "format", "folded, pprof, speedscope, svg, html, json or chrome", text);
}

absl::StatusOr<absl::Time> ParseInstant(std::string_view name,
                                        const std::string& text,
                                        absl::Time now) {
  absl::StatusOr<absl::Time> time = ParseTime(text, now);
  if (time.ok()) return time;
  return Malformed(
      name, {time.status().message().data(), time.status().message().size()},
      text);
}

// The window that `from` and `to` name; nullopt where neither is there.
absl::StatusOr<std::optional<PastWindow>> TakePast(Query& query,
                                                   absl::Time now) {
  const std::optional<std::string> from = query.Take("from");
  const std::optional<std::string> to = query.Take("to");
  if (!from.has_value() && !to.has_value()) return std::nullopt;
  if (!from.has_value()) {
    return absl::InvalidArgumentError("Parameter 'to' needs 'from'.");
  }
  for (const char* name : {"seconds", "hz", "detail"}) {
    // What has been measured is as long and as fine as it is.
    if (query.Take(name).has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("Parameter '", name, "' does not go with 'from'."));
    }
  }
  const absl::StatusOr<absl::Time> start = ParseInstant("from", *from, now);
  if (!start.ok()) return start.status();
  const absl::StatusOr<absl::Time> end =
      to.has_value() ? ParseInstant("to", *to, now) : now;
  if (!end.ok()) return end.status();
  if (*start >= *end) {
    return absl::InvalidArgumentError(
        absl::StrCat("Parameter 'from' must be before 'to', which ",
                     Quoted(*from), " is not."));
  }
  return PastWindow{*start, *end};
}

absl::StatusOr<bool> ParseSwitch(std::string_view name,
                                 const std::string& text) {
  if (text == "0" || text == "1") return text == "1";
  return Malformed(name, "0 or 1", text);
}

// Overwrites `field` if the parameter is there.
template <typename T, typename Parse>
absl::Status TakeInto(Query& query, std::string_view name, Parse parse,
                      T& field) {
  std::optional<std::string> text = query.Take(name);
  if (!text.has_value()) return absl::OkStatus();
  absl::StatusOr<T> value = parse(*text);
  if (!value.ok()) return value.status();
  field = *std::move(value);
  return absl::OkStatus();
}

// Named for what is seen, as a browser saves it.
HttpResponse Download(std::string_view type, const Measurement& measurement,
                      absl::string_view suffix) {
  HttpResponse response = Content(type, "");
  response.headers["Content-Disposition"] = absl::StrCat(
      "attachment; filename=\"",
      measurement.file_name.empty() ? std::string(NameOfView(measurement.view))
                                    : measurement.file_name,
      suffix, "\"");
  return response;
}

// A document with a script inside, which may load nothing from anywhere.
HttpResponse SelfContained(std::string_view type) {
  HttpResponse response = Content(type, "");
  response.headers["Content-Security-Policy"] =
      "default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'";
  return response;
}

}  // namespace

std::optional<absl::Duration> SecondsOf(const std::string& text,
                                        absl::Duration max_seconds) {
  double seconds = 0;
  if (!IsDecimal(text) || !absl::SimpleAtod(text, &seconds)) {
    return std::nullopt;
  }
  const absl::Duration duration = absl::Seconds(seconds);
  if (duration <= absl::ZeroDuration() || duration > max_seconds) {
    return std::nullopt;
  }
  return duration;
}

absl::Status TakeView(Query& query, std::string_view name,
                      std::optional<View>& view) {
  std::optional<std::string> text = query.Take(name);
  if (!text.has_value()) return absl::OkStatus();
  absl::StatusOr<View> parsed = ParseView(name, *text);
  if (!parsed.ok()) return parsed.status();
  view = *parsed;
  return absl::OkStatus();
}

absl::Status TakeSwitch(Query& query, std::string_view name, bool& value) {
  return TakeInto(
      query, name,
      [name](const std::string& text) { return ParseSwitch(name, text); },
      value);
}

absl::StatusOr<Measurement> ParseMeasurement(
    Query query, const MeasurementDefaults& defaults,
    absl::Duration max_seconds, absl::Time now) {
  Measurement measurement;
  absl::StatusOr<std::optional<PastWindow>> past = TakePast(query, now);
  if (!past.ok()) return past.status();
  measurement.past = *past;
  // A host that allows less than a path's default gets what it allows.
  measurement.duration =
      std::min(defaults.duration.value_or(absl::ZeroDuration()), max_seconds);
  measurement.format = defaults.format;
  absl::Status status;
  auto parse_seconds = [max_seconds](const std::string& text) {
    return ParseSeconds(text, max_seconds);
  };
  status.Update(
      TakeInto(query, "seconds", parse_seconds, measurement.duration));
  status.Update(
      TakeInto(query, "hz", ParseFrequency, measurement.frequency_hz));
  std::optional<View> view;
  status.Update(TakeView(query, "view", view));
  measurement.view = view.value_or(defaults.view);
  status.Update(TakeInto(query, "format", ParseFormat, measurement.format));
  status.Update(TakeSwitch(query, "slices", measurement.slices));
  status.Update(TakeSwitch(query, "detail", measurement.detail));
  status.Update(TakeSwitch(query, "threads", measurement.threads));
  status.Update(TakeSwitch(query, "lines", measurement.lines));
  status.Update(query.CheckAllTaken());
  if (!status.ok()) return status;
  if (measurement.slices && !measurement.past) {
    return absl::InvalidArgumentError("Parameter 'slices' needs 'from'.");
  }
  if (measurement.past && ShowsTime(measurement.format)) {
    measurement.slices = true;
  }
  if (!measurement.past && measurement.duration <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("Parameter 'seconds' is required here.");
  }
  return measurement;
}

absl::Status CheckOffered(const Measurement& measurement,
                          const Statistics& stats) {
  if (!stats.cpu_only || measurement.past) return absl::OkStatus();
  if (measurement.view != View::kCpu) {
    return absl::InvalidArgumentError(
        absl::StrCat("Parameter 'view' must be cpu here, not ",
                     std::string(NameOfView(measurement.view)),
                     ": only CPU time is measured."));
  }
  if (measurement.frequency_hz > stats.frequency_hz) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Parameter 'hz' must be at most ", stats.frequency_hz,
        " here: where only CPU time is measured the rate is fixed."));
  }
  return absl::OkStatus();
}

HttpResponse MeasurementHeaders(const Measurement& measurement) {
  switch (measurement.format) {
    case Format::kFolded:
      return Content(kPlainText, "");
    case Format::kPprof:
      return Download("application/octet-stream", measurement, ".pb.gz");
    case Format::kSpeedscope:
      return Download(kJson, measurement, ".speedscope.json");
    case Format::kChrome:
      return Download(kJson, measurement, ".trace.json");
    case Format::kSvg:
      return SelfContained("image/svg+xml");
    case Format::kHtml:
      return SelfContained(kHtml);
    case Format::kJson:
      break;
  }
  return Content(kJson, "");
}

absl::StatusOr<HttpResponse> EncodeSeen(const Profile& profile,
                                        const Measurement& measurement) {
  HttpResponse response = MeasurementHeaders(measurement);
  FlameGraphOptions flame;
  flame.view = measurement.view;
  flame.threads = measurement.threads;
  FoldedOptions folded;
  folded.view = measurement.view;
  folded.threads = measurement.threads;
  folded.lines = measurement.lines;
  switch (measurement.format) {
    case Format::kFolded:
      response.body = EncodeFolded(profile, folded);
      break;
    case Format::kSvg:
      response.body = EncodeSvg(profile, flame);
      break;
    case Format::kHtml:
      response.body = EncodeHtml(profile, flame);
      break;
    default:
      response.body = Encode(profile, measurement.format);
  }
  return response;
}

absl::StatusOr<HttpResponse> EncodeMeasurement(const Profile& profile,
                                               const Measurement& measurement) {
  // Labels show in pprof alone. A stack that goes on to the holder of a lock
  // says already what is waited for.
  if (measurement.detail && measurement.format != Format::kPprof &&
      measurement.view != View::kBlockedBy) {
    Measurement plain = measurement;
    plain.detail = false;
    return EncodeMeasurement(WithLabelFrames(profile, kWaitLabels), plain);
  }
  // Folded stacks need no copy of the profile.
  if (measurement.format == Format::kFolded) {
    return EncodeSeen(profile, measurement);
  }
  absl::StatusOr<Profile> seen = SelectView(profile, measurement.view);
  if (!seen.ok()) return seen.status();
  return EncodeSeen(*seen, measurement);
}

}  // namespace wallprof::http
