// A measurement as a client asks for it: what to measure, for how long, and
// how to show it.
#ifndef WALLPROF_HTTP_MEASUREMENT_H_
#define WALLPROF_HTTP_MEASUREMENT_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "http/query.h"
#include "wallprof/formats.h"
#include "wallprof/http.h"
#include "wallprof/merge.h"

namespace wallprof::http {

// What was recorded in [from, to).
struct PastWindow {
  absl::Time from;
  absl::Time to;
};

struct Measurement {
  absl::Duration duration;
  std::optional<PastWindow> past;  // instead of measuring for `duration`
  int frequency_hz = 0;            // 0: the profiler's own
  View view = View::kWall;
  Format format = Format::kFolded;
  bool slices = false;    // of what was recorded, kept apart
  bool detail = false;    // what samples wait for (labels)
  bool threads = false;   // the thread's name as the first frame (not pprof)
  bool lines = false;     // each frame with its line (folded; pprof has them)
  std::string file_name;  // of a download, without suffix; empty: the view's
};

// What a path gives where a request says nothing.
struct MeasurementDefaults {
  std::optional<absl::Duration> duration;  // nullopt: it must be given
  View view = View::kWall;
  Format format = Format::kFolded;
};

// InvalidArgument, one sentence naming the parameter, for any that is
// malformed, out of range, unknown or not offered yet. Times like -10m are
// before `now`.
absl::StatusOr<Measurement> ParseMeasurement(
    Query query, const MeasurementDefaults& defaults,
    absl::Duration max_seconds, absl::Time now);

// InvalidArgument, naming the parameter, for what a profiler that measures CPU
// time alone cannot give; OkStatus for any other.
absl::Status CheckOffered(const Measurement& measurement,
                          const Statistics& stats);

// Take a parameter off `query`, if it is there. InvalidArgument as above.
absl::Status TakeView(Query& query, std::string_view name,
                      std::optional<View>& view);
absl::Status TakeSwitch(Query& query, std::string_view name, bool& value);

// Encodes what was measured as asked, with the headers that belong to it.
absl::StatusOr<HttpResponse> EncodeMeasurement(const Profile& profile,
                                               const Measurement& measurement);

// The same of a profile that is already what was asked to see.
absl::StatusOr<HttpResponse> EncodeSeen(const Profile& profile,
                                        const Measurement& measurement);

// "30" or "0.5" as a time; nullopt unless it is more than zero and at most
// `max_seconds`.
std::optional<absl::Duration> SecondsOf(const std::string& text,
                                        absl::Duration max_seconds);

// The response's headers, for a client that wants no more than them.
HttpResponse MeasurementHeaders(const Measurement& measurement);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_MEASUREMENT_H_
