// What a browser shows: which services there are, when they sent profiles, and
// the flame graph of any time.
#ifndef WALLPROF_FLEET_COLLECTOR_HOME_PAGE_H_
#define WALLPROF_FLEET_COLLECTOR_HOME_PAGE_H_

#include "absl/status/statusor.h"
#include "fleet/collector/context.h"
#include "wallprof/http.h"

namespace wallprof::collector {

absl::StatusOr<HttpResponse> AnswerHome(Context& context);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_HOME_PAGE_H_
