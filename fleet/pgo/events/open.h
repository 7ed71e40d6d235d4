// Buses by their URL.
//
//   nats://HOST:PORT[,HOST:PORT]/SUBJECT[?consumer=NAME][&ack_wait=30s]
//   tls://...         JetStream; stream and consumer are made if they are not
//                     there
//   nats://SUBJECT[?queue=NAME]     the same at NATS_SERVER_URL, as Go's
//                     gocloud.dev has it
//   kafka://HOST:PORT[,HOST:PORT]/TOPIC[?group=NAME]
//   kafka://TOPIC, or for readers kafka://GROUP?topic=TOPIC, at KAFKA_BROKERS
//
// Credentials are taken from the environment: for NATS see
// engines/nats_servers.h; for Kafka KAFKA_CONFIG names a file with settings of
// librdkafka, such as sasl.password=..., one a line.
#ifndef WALLPROF_FLEET_PGO_EVENTS_OPEN_H_
#define WALLPROF_FLEET_PGO_EVENTS_OPEN_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/pgo/events/bus.h"

namespace wallprof::pgo {

// InvalidArgument naming what of a URL is wrong. Unimplemented for a scheme
// that is known but not spoken (awssns, awssqs, azuresb, gcppubsub, rabbit,
// mem), with what to use instead. Makes no connection.
absl::Status CheckEventUrl(std::string_view url);

// As above, and Unavailable where the bus cannot be reached for a while at the
// start; later it may come and go.
absl::StatusOr<std::unique_ptr<EventWriter>> OpenEventWriter(
    std::string_view url);
absl::StatusOr<std::unique_ptr<EventReader>> OpenEventReader(
    std::string_view url);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_OPEN_H_
