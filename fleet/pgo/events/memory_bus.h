// A bus within one process. What is on it is gone with the process; the worker
// finds what is staged when it starts.
#ifndef WALLPROF_FLEET_PGO_EVENTS_MEMORY_BUS_H_
#define WALLPROF_FLEET_PGO_EVENTS_MEMORY_BUS_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "fleet/pgo/events/bus.h"

namespace wallprof::pgo {

// Thread-safe; readers share the events.
class MemoryBus : public EventWriter, public EventReader {
 public:
  MemoryBus();
  ~MemoryBus() override;

  absl::Status Publish(const Event& event) override;

  // Ends with `cancelled` within a tenth of a second. What is destroyed without
  // a word comes again at once.
  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration patience, const std::function<bool()>& cancelled) override;

  absl::Status Check() override { return absl::OkStatus(); }

 private:
  class Queue;
  class Held;
  std::shared_ptr<Queue> queue_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_MEMORY_BUS_H_
