// Pyroscope's /ingest, so that its senders can be pointed here: a name with
// labels, "shop.cpu{host=db-1}", and a profile as pprof or as folded stacks.
#ifndef WALLPROF_FLEET_COLLECTOR_PYROSCOPE_H_
#define WALLPROF_FLEET_COLLECTOR_PYROSCOPE_H_

#include "absl/status/statusor.h"
#include "fleet/collector/context.h"
#include "wallprof/http.h"

namespace wallprof::collector {

absl::StatusOr<HttpResponse> AnswerPyroscopeIngest(Context& context);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_PYROSCOPE_H_
