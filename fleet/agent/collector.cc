#include "fleet/agent/collector.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fleet/agent/labels.h"

namespace wallprof::agent {
namespace {

using Json = nlohmann::json;

// Types that profefe's collector does not know.
constexpr const char* kOwnTypes[] = {"wall", "offcpu", "lockwait"};

// How they are sent to it.
constexpr char kOtherType[] = "other";
constexpr char kProfileLabel[] = "profile";

// A collector may be replaced by another at any time.
constexpr absl::Duration kAskAgain = absl::Hours(1);

// No collector is obeyed for longer.
constexpr absl::Duration kLongestRetryAfter = absl::Hours(1);

// The only form that profefe's collector reads: no zone, UTC.
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%S";

// Of a collector's words; ours are a sentence.
constexpr size_t kMaxText = 300;

// Tells a profile from any other, for collectors that can use it.
constexpr char kIdHeader[] = "X-Wallprof-Profile-Id";

constexpr int kOk = 200;
constexpr int kRedirects = 300;
constexpr int kClientErrors = 400;
constexpr int kNotFound = 404;
constexpr int kTooManyRequests = 429;
// The agent's token is not, or no longer, one of the collector's. That says
// nothing of the profile.
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kServerErrors = 500;
constexpr int kBadGateway = 502;
constexpr int kGatewayTimeout = 504;

std::string TimeText(absl::Time time) {
  return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone());
}

std::string Text(const std::string& body) {
  std::string text(absl::StripAsciiWhitespace(body));
  text.resize(std::min(text.size(), kMaxText));
  return text;
}

// profefe's envelope: {"code": 200, "body": ..., "error": "..."}.
struct Envelope {
  int code = 0;  // 0: it is none
  Json body;
  std::string error;
};

Envelope OpenEnvelope(const std::string& text) {
  Envelope envelope;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return envelope;
  const auto code = json.find("code");
  if (code == json.end() || !code->is_number_integer()) return envelope;
  envelope.code = code->get<int>();
  if (const auto error = json.find("error");
      error != json.end() && error->is_string()) {
    envelope.error = error->get<std::string>();
  }
  if (const auto body = json.find("body"); body != json.end()) {
    envelope.body = std::move(*body);
  }
  return envelope;
}

std::string TextOf(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>()
                                                     : "";
}

absl::Duration RetryAfter(const AgentAnswer& answer, absl::Time now) {
  const auto header = answer.headers.find("retry-after");
  if (header == answer.headers.end()) return absl::ZeroDuration();
  absl::Duration wait;
  double seconds = 0;
  absl::Time time;
  if (absl::SimpleAtod(header->second, &seconds)) {
    wait = absl::Seconds(seconds);
  } else if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", header->second, &time,
                             nullptr)) {
    wait = time - now;
  }
  return std::clamp(wait, absl::ZeroDuration(), kLongestRetryAfter);
}

bool IsToWait(int status) {
  return status >= kServerErrors || status == kTooManyRequests ||
         status == kUnauthorized || status == kForbidden;
}

// What an answer with a status other than 200 comes to.
Collector::Outcome OutcomeOf(int status) {
  using Outcome = Collector::Outcome;
  // Whoever is in front of the collector may have passed the profile on.
  if (status == kBadGateway || status == kGatewayTimeout) {
    return Outcome::kUnsure;
  }
  if (status >= kClientErrors && !IsToWait(status)) return Outcome::kRefused;
  return Outcome::kLater;
}

// Two stored times are given with whole seconds.
bool IsSameSecond(const std::string& text, absl::Time time) {
  absl::Time stored;
  return absl::ParseTime(absl::RFC3339_full, text, &stored, nullptr) &&
         absl::ToUnixSeconds(stored) == absl::ToUnixSeconds(time);
}

}  // namespace

Collector::Collector(std::string base, AgentExchange exchange,
                     absl::Duration timeout, const Clock& clock,
                     std::function<bool()> cancelled)
    : base_(absl::StrCat(base, base.empty() || base.back() != '/' ? "/" : "",
                         "api/0/")),
      exchange_(std::move(exchange)),
      timeout_(timeout),
      clock_(clock),
      cancelled_(std::move(cancelled)) {}

AgentAnswer Collector::Exchange(const std::string& method,
                                const std::string& path, std::string_view body,
                                const std::string& id) {
  AgentRequest request;
  request.method = method;
  request.url = base_ + path;
  request.headers["User-Agent"] = "wallprof-agent";
  request.headers["Accept"] = "application/json";
  if (method == "POST") {
    request.headers["Content-Type"] = "application/octet-stream";
    request.headers[kIdHeader] = id;
  }
  request.body = body;
  request.timeout = timeout_;
  request.cancelled = cancelled_;
  AgentAnswer answer = exchange_(request);
  // It may be another when it is back.
  if (answer.result != AgentAnswer::Result::kAnswered) own_types_.reset();
  return answer;
}

// Asks which types it knows. False if that must wait.
bool Collector::Learn(Reply& reply) {
  const AgentAnswer answer = Exchange("GET", "version", {}, "");
  if (answer.result != AgentAnswer::Result::kAnswered) {
    reply.text = answer.error;
    return false;
  }
  if (IsToWait(answer.status)) {
    reply.status = answer.status;
    reply.retry_after = RetryAfter(answer, clock_.Now());
    reply.text = Text(answer.body);
    return false;
  }
  // profefe's says nothing of types, nor does whatever has no versions.
  own_types_.emplace();
  ask_again_ = clock_.Steady() + kAskAgain;
  const Envelope envelope = OpenEnvelope(answer.body);
  if (!envelope.body.is_object()) return true;
  const auto types = envelope.body.find("types");
  if (types == envelope.body.end() || !types->is_array()) return true;
  for (const Json& type : *types) {
    if (type.is_string()) own_types_->insert(type.get<std::string>());
  }
  return true;
}

// How this collector is to be told of `parcel`. False if that must wait.
bool Collector::Describe(const Parcel& parcel, std::string& type,
                         AgentLabels& labels, Reply& reply) {
  type = parcel.type;
  labels = parcel.labels;
  if (std::find(std::begin(kOwnTypes), std::end(kOwnTypes), type) ==
      std::end(kOwnTypes)) {
    return true;
  }
  if ((!own_types_ || clock_.Steady() >= ask_again_) && !Learn(reply)) {
    return false;
  }
  if (own_types_->count(type) != 0) return true;
  labels.emplace_back(kProfileLabel, type);
  type = kOtherType;
  return true;
}

Collector::Reply Collector::Send(const Parcel& parcel) {
  Reply reply;
  std::string type;
  AgentLabels labels;
  if (!Describe(parcel, type, labels, reply)) return reply;
  std::string path =
      absl::StrCat("profiles?created_at=", Escape(TimeText(parcel.created_at)));
  if (!labels.empty()) {
    absl::StrAppend(&path, "&labels=", Escape(FormatLabels(labels)));
  }
  absl::StrAppend(&path, "&service=", Escape(parcel.service),
                  "&type=", Escape(type));
  const AgentAnswer answer = Exchange("POST", path, parcel.body, parcel.id);
  if (answer.result != AgentAnswer::Result::kAnswered) {
    reply.outcome = answer.result == AgentAnswer::Result::kBroken
                        ? Outcome::kUnsure
                        : Outcome::kLater;
    reply.text = answer.error;
    return reply;
  }
  reply.status = answer.status;
  reply.retry_after = RetryAfter(answer, clock_.Now());
  const Envelope envelope = OpenEnvelope(answer.body);
  reply.text =
      envelope.error.empty() ? Text(answer.body) : Text(envelope.error);
  if (answer.status < kOk || answer.status >= kRedirects) {
    reply.outcome = OutcomeOf(answer.status);
  } else if (envelope.code >= kClientErrors) {
    reply.outcome = OutcomeOf(envelope.code);
  } else if (!TextOf(envelope.body, "id").empty()) {
    reply.outcome = Outcome::kTaken;
  } else {
    // Somebody says yes who may not be the collector.
    reply.outcome = Outcome::kUnsure;
    reply.text = "the answer is not a collector's: " + Text(answer.body);
  }
  return reply;
}

Collector::Presence Collector::Find(const Parcel& parcel, Reply& reply) {
  std::string type;
  AgentLabels labels;
  if (!Describe(parcel, type, labels, reply)) return Presence::kLater;
  const absl::Time second =
      absl::FromUnixSeconds(absl::ToUnixSeconds(parcel.created_at));
  std::string path = absl::StrCat("profiles?from=",
                                  Escape(TimeText(second - absl::Seconds(1))));
  if (!labels.empty()) {
    absl::StrAppend(&path, "&labels=", Escape(FormatLabels(labels)));
  }
  absl::StrAppend(&path, "&service=", Escape(parcel.service),
                  "&to=", Escape(TimeText(second + absl::Seconds(1))),
                  "&type=", Escape(type));
  const AgentAnswer answer = Exchange("GET", path, {}, "");
  if (answer.result != AgentAnswer::Result::kAnswered) {
    reply.text = answer.error;
    return Presence::kLater;
  }
  reply.status = answer.status;
  reply.retry_after = RetryAfter(answer, clock_.Now());
  const Envelope envelope = OpenEnvelope(answer.body);
  reply.text = envelope.error.empty() ? Text(answer.body) : envelope.error;
  if (answer.status >= kServerErrors || answer.status == kTooManyRequests) {
    return Presence::kLater;
  }
  if (envelope.code == kNotFound) return Presence::kNotThere;
  if (answer.status != kOk || !envelope.body.is_array()) {
    return Presence::kUnknown;
  }
  const bool is_there = std::any_of(
      envelope.body.begin(), envelope.body.end(), [&](const Json& found) {
        return IsSameSecond(TextOf(found, "created_at"), parcel.created_at);
      });
  return is_there ? Presence::kThere : Presence::kNotThere;
}

}  // namespace wallprof::agent
