// A profile on its way to the collector, and how it is kept in a file.
//
//   wallprof-parcel 1 <CRC-32 of what follows, hex> <bytes of the profile>\n
//   id=...&service=...&type=...&created_at=...&labels=...\n
//   the profile
//
// so that the first lines can be read by people, and whatever ended the writer
// shows.
#ifndef WALLPROF_FLEET_AGENT_PARCEL_H_
#define WALLPROF_FLEET_AGENT_PARCEL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/agent.h"

namespace wallprof::agent {

struct Parcel {
  std::string id;  // no other parcel has it
  std::string service;
  std::string type;
  AgentLabels labels;
  absl::Time created_at;
  std::string body;  // a profile.proto
};

// Refuses to read more than this: a profile is a few megabytes at most.
inline constexpr size_t kMaxParcelBytes = size_t{256} << 20;

std::string EncodeParcel(const Parcel& parcel);

// DataLoss saying what is wrong; never crashes, whatever the bytes.
absl::StatusOr<Parcel> DecodeParcel(std::string_view bytes);

// Of `bytes` of a parcel that is otherwise unread: what the first line must
// have for DecodeParcel to look further. For tests of what comes after it.
std::string FrameParcel(std::string_view query, std::string_view body);

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_PARCEL_H_
