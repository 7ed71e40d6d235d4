// Where events are between their writers and readers: a JetStream stream.
//
//   SUBJECT.<app>  what is written, so that applications can be told apart
//   SUBJECT        is heard too, for what others write
#ifndef WALLPROF_FLEET_PGO_EVENTS_NATS_STREAM_H_
#define WALLPROF_FLEET_PGO_EVENTS_NATS_STREAM_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/engines/nats_connection.h"

namespace wallprof::pgo {

// InvalidArgument unless it can be a subject: steps of letters, digits, '-'
// and '_', with dots between.
absl::Status CheckSubject(std::string_view subject);

struct NatsStream {
  std::string name;
  std::string filter;  // of what in it is ours; empty: all of it
};

// The stream that has `subject`; made if there is none. Errors as
// NatsConnection::ErrorOf; each request waits for `wait` at most.
absl::StatusOr<NatsStream> FindStream(const NatsConnection& connection,
                                      NatsSession& session,
                                      std::string_view subject,
                                      absl::Duration wait);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EVENTS_NATS_STREAM_H_
