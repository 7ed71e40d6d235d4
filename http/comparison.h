// Two measurements to be compared, as a client asks for them: one window seen
// in two views, or two windows, one after the other, seen alike.
#ifndef WALLPROF_HTTP_COMPARISON_H_
#define WALLPROF_HTTP_COMPARISON_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "http/measurement.h"
#include "http/query.h"
#include "wallprof/http.h"
#include "wallprof/merge.h"

namespace wallprof::http {

struct Comparison {
  Measurement window;          // of one window
  std::optional<View> before;  // with `after`: of the same window
  std::optional<View> after;   // nullopt: both windows in window.view
  bool normalize = false;      // the first to the total of the second

  bool has_two_windows() const { return !before.has_value(); }
};

// InvalidArgument as ParseMeasurement. `view` is that of two windows where the
// request says none.
absl::StatusOr<Comparison> ParseComparison(Query query, View view,
                                           absl::Duration max_seconds,
                                           absl::Time now);

// As CheckOffered of a measurement, for all views that are compared.
absl::Status CheckOffered(const Comparison& comparison,
                          const Statistics& stats);

// `first` and `second` are the same profile where there is but one window.
absl::StatusOr<HttpResponse> EncodeComparison(const Profile& first,
                                              const Profile& second,
                                              const Comparison& comparison);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_COMPARISON_H_
