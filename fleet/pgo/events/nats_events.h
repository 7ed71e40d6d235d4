// Events by NATS JetStream.
#ifndef WALLPROF_FLEET_PGO_EVENTS_NATS_EVENTS_H_
#define WALLPROF_FLEET_PGO_EVENTS_NATS_EVENTS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/engines/nats_servers.h"
#include "fleet/pgo/events/bus.h"

namespace wallprof::pgo {

struct NatsEvents {
  NatsServers servers;
  std::string subject;

  // Readers of one consumer share the events. It is kept by the server, so that
  // what comes while none is there is read later.
  std::string consumer;

  // An event whose reader has said nothing for so long goes to another.
  absl::Duration ack_wait;

  // For how long a call is tried where NATS is away: longer than a server needs
  // to start again.
  absl::Duration patience = absl::Seconds(10);
};

// See OpenEventWriter. An event that is written twice within two minutes, by
// its id, is there once.
absl::StatusOr<std::unique_ptr<EventWriter>> OpenNatsWriter(
    const NatsEvents& events);

// See OpenEventReader. The order of an application's events is that of writing
// while one reader reads and none comes again.
absl::StatusOr<std::unique_ptr<EventReader>> OpenNatsReader(
    const NatsEvents& events);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_NATS_EVENTS_H_
