// Profiles in, out and listed: profefe's part of the API.
#ifndef WALLPROF_FLEET_COLLECTOR_PROFILE_PAGES_H_
#define WALLPROF_FLEET_COLLECTOR_PROFILE_PAGES_H_

#include "absl/status/statusor.h"
#include "fleet/collector/context.h"
#include "wallprof/http.h"

namespace wallprof::collector {

absl::StatusOr<HttpResponse> AnswerUpload(Context& context);
absl::StatusOr<HttpResponse> AnswerList(Context& context);
// One profile by its id, or the sum of several with '+' between them.
absl::StatusOr<HttpResponse> AnswerProfile(Context& context);
absl::StatusOr<HttpResponse> AnswerDelete(Context& context);
absl::StatusOr<HttpResponse> AnswerServices(Context& context);
absl::StatusOr<HttpResponse> AnswerSeries(Context& context);
absl::StatusOr<HttpResponse> AnswerLabelNames(Context& context);
absl::StatusOr<HttpResponse> AnswerLabelValues(Context& context);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_PROFILE_PAGES_H_
