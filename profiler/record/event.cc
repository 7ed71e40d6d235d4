#include "profiler/record/event.h"

namespace wallprof::record {

const char* EventKindName(EventKind kind) {
  switch (kind) {
    case EventKind::kThreadStarted:
      return "thread started";
    case EventKind::kThreadEnded:
      return "thread ended";
    case EventKind::kLoss:
      return "loss";
    case EventKind::kLate:
      return "late";
    case EventKind::kClockStep:
      return "clock set";
    case EventKind::kSuspended:
      return "suspended";
    case EventKind::kSpool:
      return "not written";
  }
  return "unknown";
}

void EncodeEvent(const Event& event, ByteWriter& out) {
  out.Signed(event.wall_ns);
  out.Number(static_cast<uint8_t>(event.kind));
  out.Text(event.detail);
}

bool DecodeEvent(ByteReader& in, Event& event) {
  event.wall_ns = in.Signed();
  const uint64_t kind = in.Number();
  event.kind = static_cast<EventKind>(kind);
  event.detail = in.Text();
  return in.ok() && kind <= static_cast<uint8_t>(EventKind::kSpool);
}

}  // namespace wallprof::record
