#include "fleet/pgo/events/event.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/uuid.h"

namespace wallprof::pgo {
namespace {

using Json = nlohmann::ordered_json;

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the event ", what));
}

// The text called `name`, which must be there.
absl::Status Take(const Json& object, const char* name, std::string& text) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return Wrong(absl::StrCat("has no text '", name, "'"));
  }
  text = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status TakePayload(const Json& payload, Event& event) {
  if (absl::Status s = Take(payload, "app", event.app); !s.ok()) return s;
  if (event.type == kDeleted) return absl::OkStatus();
  if (absl::Status s = Take(payload, "profileKey", event.profile_key);
      !s.ok()) {
    return s;
  }
  if (event.type == kUploaded) return absl::OkStatus();
  return Take(payload, "mergedKey", event.merged_key);
}

}  // namespace

Event NewEvent(std::string_view type, std::string_view app,
               std::string_view profile_key, std::string_view merged_key) {
  return {NewUuid(),
          absl::Now(),
          std::string(type),
          std::string(app),
          std::string(profile_key),
          std::string(merged_key)};
}

std::string EncodeEvent(const Event& event) {
  Json payload = Json::object();
  payload["app"] = event.app;
  if (!event.profile_key.empty()) payload["profileKey"] = event.profile_key;
  if (!event.merged_key.empty()) payload["mergedKey"] = event.merged_key;
  Json envelope;
  envelope["id"] = event.id;
  envelope["timestamp"] = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", event.time,
                                           absl::UTCTimeZone());
  envelope["type"] = event.type;
  envelope["payload"] = std::move(payload);
  return envelope.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Event> DecodeEvent(std::string_view text) {
  const Json envelope = Json::parse(text, nullptr, false);
  if (!envelope.is_object()) return Wrong("is no JSON object");
  Event event;
  std::string time;
  for (const auto& [name, taken] :
       {std::pair{"id", &event.id}, std::pair{"timestamp", &time},
        std::pair{"type", &event.type}}) {
    if (absl::Status s = Take(envelope, name, *taken); !s.ok()) return s;
  }
  std::string why;
  if (!absl::ParseTime(absl::RFC3339_full, time, &event.time, &why)) {
    return Wrong(absl::StrCat("has the timestamp '", time, "': ", why));
  }
  if (event.type != kUploaded && event.type != kMerged &&
      event.type != kDeleted) {
    return event;
  }
  const auto payload = envelope.find("payload");
  if (payload == envelope.end() || !payload->is_object()) {
    return Wrong("has no payload");
  }
  if (absl::Status s = TakePayload(*payload, event); !s.ok()) return s;
  return event;
}

}  // namespace wallprof::pgo
