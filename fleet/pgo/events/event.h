// What the components tell each other.
//
//   {"id":"<uuid>","timestamp":"2026-01-02T03:04:05.678Z",
//    "type":"profile.merged",
//    "payload":{"app":"shop","profileKey":"shop/staging/1767323045678000000",
//               "mergedKey":"shop/default.pgo"}}
#ifndef WALLPROF_FLEET_PGO_EVENTS_EVENT_H_
#define WALLPROF_FLEET_PGO_EVENTS_EVENT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wallprof::pgo {

// A profile is staged for merging: app, profileKey.
inline constexpr char kUploaded[] = "profile.uploaded";
// It is part of the base and can be deleted: app, profileKey, mergedKey.
inline constexpr char kMerged[] = "profile.merged";
// All of an application's profiles have been deleted: app.
inline constexpr char kDeleted[] = "profile.deleted";

struct Event {
  std::string id;  // a UUID
  absl::Time time;
  std::string type;  // may be one that is not known here
  std::string app;
  std::string profile_key;  // empty where the type has none
  std::string merged_key;   // the same
};

// An event of now with an id of its own.
Event NewEvent(std::string_view type, std::string_view app,
               std::string_view profile_key = "",
               std::string_view merged_key = "");

std::string EncodeEvent(const Event& event);

// InvalidArgument saying what of the text is wrong. Of types that are not known
// the payload is not looked at.
absl::StatusOr<Event> DecodeEvent(std::string_view text);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_EVENT_H_
