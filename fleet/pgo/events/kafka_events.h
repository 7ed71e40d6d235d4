// Events by Kafka. An application is a key, and so has its events in order.
#ifndef WALLPROF_FLEET_PGO_EVENTS_KAFKA_EVENTS_H_
#define WALLPROF_FLEET_PGO_EVENTS_KAFKA_EVENTS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/events/bus.h"

namespace wallprof::pgo {

struct KafkaEvents {
  std::string brokers;  // "HOST:PORT,HOST:PORT"
  std::string topic;

  // Readers of one group share the events, a partition each at least.
  std::string group;

  // A file of librdkafka's settings, NAME=VALUE on a line: credentials, TLS.
  // May be empty.
  std::string settings_file;

  // For how long a call is tried where Kafka is away.
  absl::Duration patience = absl::Seconds(10);
};

// See OpenEventWriter. An event is written once, however often its writing is
// tried, by all replicas that are in step.
absl::StatusOr<std::unique_ptr<EventWriter>> OpenKafkaWriter(
    const KafkaEvents& events);

// See OpenEventReader. An event that is returned is kept here until it is due;
// what comes behind it is acknowledged with it. After a reader's end what was
// not acknowledged, and what came behind that, goes to another.
absl::StatusOr<std::unique_ptr<EventReader>> OpenKafkaReader(
    const KafkaEvents& events);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_KAFKA_EVENTS_H_
