// Pyroscope's /ingest, so that its senders can be pointed here: a name with
// labels, "shop.cpu{host=db-1}", and a profile as pprof or as folded stacks.
#ifndef WALLPROF_FLEET_COLLECTOR_PYROSCOPE_H_
#define WALLPROF_FLEET_COLLECTOR_PYROSCOPE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fleet/collector/context.h"
#include "fleet/store/profile_info.h"
#include "wallprof/http.h"

namespace wallprof::collector {

absl::StatusOr<HttpResponse> AnswerPyroscopeIngest(Context& context);

// The series that "service.kind{key=value,key=value}" is. A kind that is known
// decides the type; another one belongs to the service's name, and the type is
// `other`. InvalidArgument saying what is wrong with it.
absl::StatusOr<store::Series> SeriesOfPyroscopeName(std::string_view name);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_PYROSCOPE_H_
