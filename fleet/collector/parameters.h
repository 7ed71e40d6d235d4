// What a request asks for, read from its query. Errors are profefe's words
// where it has some.
#ifndef WALLPROF_FLEET_COLLECTOR_PARAMETERS_H_
#define WALLPROF_FLEET_COLLECTOR_PARAMETERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_info.h"
#include "http/query.h"

namespace wallprof::collector {

// "2026-01-02T15:04:05" in UTC, or as wallprof::ParseTime has times.
absl::StatusOr<absl::Time> ParseInstant(std::string_view text, absl::Time now);

// "key=value,key=value", escaped once more than the query. Sorted; pairs
// without a key are left out.
store::Labels ParseLabels(std::string_view text);

// What times a request is about that names none. kRequired: it has to.
enum class Times { kRequired, kLastHour, kAll };

// Takes `service`, `type`, `labels`, `query`, `from` and `to`. Where `service`
// is required it may also be what `query` asks for.
absl::StatusOr<store::Query> TakeQuery(http::Query& parameters, Times times,
                                       bool is_service_required,
                                       absl::Time now);

// The same with `base_` before each name. What the request does not say is as
// in `other`; times it has to say.
absl::StatusOr<store::Query> TakeBaseQuery(http::Query& parameters,
                                           const store::Query& other,
                                           absl::Time now);

// Takes a whole number of at least 1; `otherwise` if it is not there.
absl::StatusOr<int64_t> TakeCount(http::Query& parameters,
                                  std::string_view name, int64_t otherwise);

// Takes what a profile to keep is: `service`, `type`, `labels`, `created_at`
// and, for old senders, `instance_id`.
struct Upload {
  store::Series series;
  std::optional<absl::Time> created_at;
};
absl::StatusOr<Upload> TakeUpload(http::Query& parameters, absl::Time now);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_PARAMETERS_H_
