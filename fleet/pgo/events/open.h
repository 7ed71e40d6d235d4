// Buses by their URL.
//
//   nats://HOST:PORT[,HOST:PORT]/SUBJECT[?consumer=NAME]  JetStream; the stream
//                                                 is made if it is not there
//   nats://SUBJECT                                the same at NATS_SERVER_URL
//   kafka://HOST:PORT[,HOST:PORT]/TOPIC[?group=NAME]
//   kafka://TOPIC, or for readers kafka://GROUP?topic=TOPIC, at KAFKA_BROKERS
//
// The forms without a host are those of Go's gocloud.dev.
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
