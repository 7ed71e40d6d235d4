// Where events go, and where they come from. Every event is delivered at least
// once, perhaps twice and in any order; those of one application in the order
// of publishing where the bus can.
#ifndef WALLPROF_FLEET_PGO_EVENTS_BUS_H_
#define WALLPROF_FLEET_PGO_EVENTS_BUS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/events/event.h"

namespace wallprof::pgo {

// Thread-safe.
class EventWriter {
 public:
  virtual ~EventWriter() = default;

  // Ok: the bus has the event for good. The application is the partition or
  // ordering key. Unavailable where the bus could not be reached for a while:
  // it may have the event or not.
  virtual absl::Status Publish(const Event& event) = 0;

  // Whether the bus can be reached now, for /api/health; returns within
  // seconds.
  virtual absl::Status Check() = 0;
};

// One event that was received. Destroyed without a word it comes again at some
// time, as if the process had died.
class Delivery {
 public:
  virtual ~Delivery() = default;

  // The event as it came, which may be anything.
  virtual std::string_view text() const = 0;

  // It is done with.
  virtual absl::Status Acknowledge() = 0;

  // It is to come again, after about `delay`.
  virtual absl::Status Return(absl::Duration delay) = 0;

  // It takes longer than usual: nobody else shall have it yet.
  virtual void Extend() {}
};

// For one thread, but for Check().
class EventReader {
 public:
  virtual ~EventReader() = default;

  // The next event; nullptr when none came within `patience` or `cancelled`
  // said so, which is asked at least ten times a second. Unavailable where the
  // bus cannot be reached; may be called again.
  virtual absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration patience, const std::function<bool()>& cancelled) = 0;

  // As EventWriter::Check(); from any thread.
  virtual absl::Status Check() = 0;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_BUS_H_
