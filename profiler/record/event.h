// What happened to the program, or to the recording of it, and when.
#ifndef WALLPROF_PROFILER_RECORD_EVENT_H_
#define WALLPROF_PROFILER_RECORD_EVENT_H_

#include <cstdint>
#include <string>

#include "profiler/record/bytes.h"

namespace wallprof::record {

enum class EventKind : uint8_t {
  kThreadStarted,
  kThreadEnded,
  kLoss,       // something began to be lost
  kLate,       // the sampler hardly got to run
  kClockStep,  // the realtime clock was set
  kSuspended,  // the machine slept
  kSpool,      // a slice could not be written to disk
};

// "thread started" and so on.
const char* EventKindName(EventKind kind);

struct Event {
  int64_t wall_ns = 0;  // CLOCK_REALTIME, since 1970
  EventKind kind = EventKind::kThreadStarted;
  std::string detail;
};

void EncodeEvent(const Event& event, ByteWriter& out);

// False when the bytes are not EncodeEvent's.
bool DecodeEvent(ByteReader& in, Event& event);

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_EVENT_H_
