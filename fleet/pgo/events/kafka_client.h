// What writers and readers of Kafka share.
#ifndef WALLPROF_FLEET_PGO_EVENTS_KAFKA_CLIENT_H_
#define WALLPROF_FLEET_PGO_EVENTS_KAFKA_CLIENT_H_

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/events/kafka_events.h"

namespace wallprof::pgo {

struct DestroyKafka {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_conf_t* settings) const {
    rd_kafka_conf_destroy(settings);
  }
  void operator()(rd_kafka_message_t* message) const {
    rd_kafka_message_destroy(message);
  }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(rd_kafka_queue_t* queue) const {
    rd_kafka_queue_destroy(queue);
  }
  void operator()(rd_kafka_event_t* event) const {
    rd_kafka_event_destroy(event);
  }
};
template <class T>
using KafkaOwned = std::unique_ptr<T, DestroyKafka>;

// A client with the settings of the events' file, then `ours`, then what
// `change` does to them. Prints nothing. FailedPrecondition naming file and
// setting, but no value.
using KafkaSetting = std::pair<const char*, std::string>;
absl::StatusOr<KafkaOwned<rd_kafka_t>> NewKafkaClient(
    rd_kafka_type_t type, const KafkaEvents& events,
    const std::vector<KafkaSetting>& ours,
    const std::function<void(rd_kafka_conf_t*)>& change);

// With the place: Unavailable, PermissionDenied, or FailedPrecondition for what
// does not pass.
absl::Status KafkaError(const KafkaEvents& events, rd_kafka_resp_err_t error,
                        std::string_view doing);

// Whether a broker answers within `patience`.
absl::Status CheckKafka(rd_kafka_t* client, const KafkaEvents& events,
                        absl::Duration patience);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_KAFKA_CLIENT_H_
