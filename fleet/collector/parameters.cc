#include "fleet/collector/parameters.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fleet/agent/labels.h"
#include "fleet/collector/profile_type.h"
#include "wallprof/recorder.h"

namespace wallprof::collector {
namespace {

// What a request sees that names no time.
constexpr absl::Duration kLastHour = absl::Hours(1);

// The one form that profefe reads: no zone, UTC.
constexpr char kPlainTime[] = "%Y-%m-%dT%H:%M:%E*S";

constexpr char kService[] = "service";
constexpr char kType[] = "type";

absl::Status BadRequest(const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat("bad request: ", text));
}

std::string InQuotes(std::string_view text) {
  return absl::StrCat("\"", std::string(text), "\"");
}

absl::Status Missing(std::string_view name) {
  return BadRequest(absl::StrCat("missing ", InQuotes(name)));
}

absl::StatusOr<std::string> TakeRequired(http::Query& parameters,
                                         std::string_view name) {
  std::optional<std::string> value = parameters.Take(name);
  if (!value.has_value() || value->empty()) return Missing(name);
  return *std::move(value);
}

// `otherwise` if it is not there; without one it has to be.
absl::StatusOr<absl::Time> TakeTime(http::Query& parameters,
                                    const std::string& name,
                                    std::optional<absl::Time> otherwise,
                                    absl::Time now) {
  const std::optional<std::string> text = parameters.Take(name);
  if (!text.has_value() || text->empty()) {
    if (otherwise.has_value()) return *otherwise;
    return Missing(name);
  }
  absl::StatusOr<absl::Time> time = ParseInstant(*text, now);
  if (time.ok()) return time;
  return BadRequest(absl::StrCat("bad ", InQuotes(name), " timestamp ",
                                 InQuotes(*text), ": ",
                                 std::string(time.status().message())));
}

absl::Status CheckOrder(const store::Query& query) {
  if (query.from <= query.to) return absl::OkStatus();
  return BadRequest(absl::StrCat(
      "CreatedAtMin after CreatedAtMax: ", absl::FormatTime(query.from),
      " is later than ", absl::FormatTime(query.to)));
}

absl::Status RequireType(const std::string& type, store::Selector& selector) {
  if (!IsProfileType(type)) {
    return BadRequest(absl::StrCat("unknown profile type ", InQuotes(type)));
  }
  selector.Require(kType, type);
  return absl::OkStatus();
}

// Takes what says which series are meant, each name behind `prefix`.
absl::StatusOr<store::Selector> TakeSelector(http::Query& parameters,
                                             const std::string& prefix) {
  store::Selector selector;
  if (const auto text = parameters.Take(prefix + "query")) {
    absl::StatusOr<store::Selector> parsed = store::Selector::Parse(*text);
    if (!parsed.ok()) {
      return BadRequest(absl::StrCat("bad ", InQuotes(prefix + "query"), ": ",
                                     std::string(parsed.status().message())));
    }
    selector = *std::move(parsed);
  }
  if (const auto service = parameters.Take(prefix + kService)) {
    if (service->empty()) return Missing(prefix + kService);
    selector.Require(kService, *service);
  }
  if (const auto type = parameters.Take(prefix + kType)) {
    absl::Status s = RequireType(*type, selector);
    if (!s.ok()) return s;
  }
  if (const auto text = parameters.Take(prefix + "labels")) {
    for (const auto& [key, value] : ParseLabels(*text)) {
      selector.Require(key, value);
    }
  }
  return selector;
}

}  // namespace

absl::StatusOr<absl::Time> ParseInstant(std::string_view text, absl::Time now) {
  absl::Time time;
  if (absl::ParseTime(kPlainTime, {text.data(), text.size()}, &time, nullptr)) {
    return time;
  }
  if (absl::StatusOr<absl::Time> other = ParseTime(text, now); other.ok()) {
    return other;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("time in unsupported format ", InQuotes(text),
                   "; it may be 2026-01-02T03:04:05 (UTC), with a zone, -10m "
                   "or seconds since 1970"));
}

store::Labels ParseLabels(std::string_view text) {
  store::Labels labels = agent::ParseLabels(text);
  std::sort(labels.begin(), labels.end());
  return labels;
}

absl::StatusOr<store::Query> TakeQuery(http::Query& parameters, Times times,
                                       bool is_service_required,
                                       absl::Time now) {
  absl::StatusOr<store::Selector> selector = TakeSelector(parameters, "");
  if (!selector.ok()) return selector.status();
  store::Query query;
  query.selector = *std::move(selector);
  if (is_service_required && query.selector.matchers().empty()) {
    return Missing(kService);
  }
  std::optional<absl::Time> first;
  std::optional<absl::Time> last;
  if (times == Times::kLastHour) first = now - kLastHour;
  if (times == Times::kLastHour) last = now;
  if (times == Times::kAll) first = absl::InfinitePast();
  if (times == Times::kAll) last = absl::InfiniteFuture();
  const absl::StatusOr<absl::Time> from =
      TakeTime(parameters, "from", first, now);
  if (!from.ok()) return from.status();
  const absl::StatusOr<absl::Time> to = TakeTime(parameters, "to", last, now);
  if (!to.ok()) return to.status();
  query.from = *from;
  query.to = *to;
  if (absl::Status s = CheckOrder(query); !s.ok()) return s;
  return query;
}

absl::StatusOr<store::Query> TakeBaseQuery(http::Query& parameters,
                                           const store::Query& other,
                                           absl::Time now) {
  constexpr char kPrefix[] = "base_";
  absl::StatusOr<store::Selector> selector = TakeSelector(parameters, kPrefix);
  if (!selector.ok()) return selector.status();
  store::Query query;
  query.selector =
      selector->matchers().empty() ? other.selector : *std::move(selector);
  const absl::StatusOr<absl::Time> from =
      TakeTime(parameters, absl::StrCat(kPrefix, "from"), std::nullopt, now);
  if (!from.ok()) return from.status();
  const absl::StatusOr<absl::Time> to =
      TakeTime(parameters, absl::StrCat(kPrefix, "to"), std::nullopt, now);
  if (!to.ok()) return to.status();
  query.from = *from;
  query.to = *to;
  if (absl::Status s = CheckOrder(query); !s.ok()) return s;
  return query;
}

absl::StatusOr<int64_t> TakeCount(http::Query& parameters,
                                  std::string_view name, int64_t otherwise) {
  const std::optional<std::string> text = parameters.Take(name);
  if (!text.has_value()) return otherwise;
  int64_t count = 0;
  if (absl::SimpleAtoi(*text, &count) && count >= 1) return count;
  return BadRequest(absl::StrCat("bad ", InQuotes(name), " ", InQuotes(*text),
                                 ": a whole number of at least 1 expected"));
}

absl::StatusOr<Upload> TakeUpload(http::Query& parameters, absl::Time now) {
  Upload upload;
  absl::StatusOr<std::string> service = TakeRequired(parameters, kService);
  if (!service.ok()) return service.status();
  upload.series.service = *std::move(service);
  absl::StatusOr<std::string> type = TakeRequired(parameters, kType);
  if (!type.ok()) return type.status();
  if (!IsProfileType(*type)) return BadRequest("unknown profile type");
  upload.series.type = *std::move(type);
  if (const auto labels = parameters.Take("labels")) {
    upload.series.labels = ParseLabels(*labels);
  }
  if (const auto instance = parameters.Take("instance_id")) {
    upload.series.labels.emplace_back("instance", *instance);
    std::sort(upload.series.labels.begin(), upload.series.labels.end());
  }
  if (const auto text = parameters.Take("created_at")) {
    const absl::StatusOr<absl::Time> time = ParseInstant(*text, now);
    if (!time.ok()) {
      return BadRequest(absl::StrCat("bad \"created_at\" ", InQuotes(*text),
                                     ": ",
                                     std::string(time.status().message())));
    }
    upload.created_at = *time;
  }
  return upload;
}

}  // namespace wallprof::collector
