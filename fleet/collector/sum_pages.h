// Sums of profiles, as bytes, tables and pictures.
#ifndef WALLPROF_FLEET_COLLECTOR_SUM_PAGES_H_
#define WALLPROF_FLEET_COLLECTOR_SUM_PAGES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "fleet/collector/context.h"
#include "fleet/store/index.h"
#include "wallprof/http.h"

namespace wallprof::collector {

absl::StatusOr<HttpResponse> AnswerMerge(Context& context);
absl::StatusOr<HttpResponse> AnswerTop(Context& context);
absl::StatusOr<HttpResponse> AnswerFlameGraph(Context& context);
absl::StatusOr<HttpResponse> AnswerDiff(Context& context);

// The sum of `entries` as profefe gives it: gzipped pprof, named after the
// type.
absl::StatusOr<HttpResponse> MergedResponse(
    Context& context, const std::vector<store::IndexEntry>& entries,
    const std::string& warning);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_SUM_PAGES_H_
