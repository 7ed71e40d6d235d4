#include "http/pages/stats_page.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "fleet/bundle/json.h"

namespace wallprof::http {

using bundle::Json;
using bundle::JsonText;

namespace {

// One digit after the point is what the rate is known to. JSON has no
// infinity; before the first tick there is no rate.
double ShownRate(double hz) {
  return std::isfinite(hz) ? std::round(hz * 10) / 10 : 0;
}

std::string Row(std::string_view name, const absl::AlphaNum& value) {
  return absl::StrFormat(
      "%-18s %s\n", absl::string_view(name.data(), name.size()), value.Piece());
}

}  // namespace

std::string StatsText(const Statistics& stats) {
  const Statistics::Lost& lost = stats.lost;
  std::string text =
      absl::StrCat(Row("version", WALLPROF_VERSION),
                   Row("measures", stats.cpu_only ? "cpu" : "wall"),
                   Row("source", stats.source), Row("hz", stats.frequency_hz),
                   Row("achieved_hz", ShownRate(stats.achieved_hz)),
                   Row("ticks", stats.ticks), Row("threads", stats.threads));
  absl::StrAppend(&text, Row("cpu", absl::FormatDuration(stats.cpu_time)),
                  Row("memory_bytes", stats.memory_bytes),
                  Row("unchanged", stats.unchanged),
                  Row("memo_hits", stats.memo_hits), Row("walks", stats.walks));
  absl::StrAppend(&text, Row("interrupts", stats.interrupts),
                  Row("eintr_delivered", stats.eintr_delivered),
                  Row("late", absl::FormatDuration(stats.late_total)));
  absl::StrAppend(&text, Row("lost.truncated", lost.truncated),
                  Row("lost.overflow", lost.overflow),
                  Row("lost.masked", lost.masked),
                  Row("lost.small_stack", lost.small_stack));
  absl::StrAppend(&text, Row("lost.exited", lost.exited),
                  Row("lost.late", lost.late), Row("lost.unseen", lost.unseen),
                  Row("lost.dropped", lost.dropped));
  for (const Degradation& degradation : stats.degraded) {
    absl::StrAppend(
        &text,
        Row("degraded", absl::StrCat(degradation.what, " (", degradation.why,
                                     "): ", degradation.instead)));
  }
  return text;
}

std::string StatsJson(const Statistics& stats) {
  Json degraded = Json::array();
  for (const Degradation& degradation : stats.degraded) {
    degraded.push_back({{"what", degradation.what},
                        {"why", degradation.why},
                        {"instead", degradation.instead}});
  }
  return JsonText({{"version", WALLPROF_VERSION},
                   {"hz", stats.frequency_hz},
                   {"achieved_hz", ShownRate(stats.achieved_hz)},
                   {"ticks", stats.ticks},
                   {"threads", stats.threads},
                   {"cpu_ns", absl::ToInt64Nanoseconds(stats.cpu_time)},
                   {"memory_bytes", stats.memory_bytes},
                   {"unchanged", stats.unchanged},
                   {"memo_hits", stats.memo_hits},
                   {"walks", stats.walks},
                   {"interrupts", stats.interrupts},
                   {"eintr_delivered", stats.eintr_delivered},
                   {"measures", stats.cpu_only ? "cpu" : "wall"},
                   {"source", stats.source},
                   {"lost",
                    {{"truncated", stats.lost.truncated},
                     {"overflow", stats.lost.overflow},
                     {"masked", stats.lost.masked},
                     {"small_stack", stats.lost.small_stack},
                     {"exited", stats.lost.exited},
                     {"late", stats.lost.late},
                     {"unseen", stats.lost.unseen},
                     {"dropped", stats.lost.dropped}}},
                   {"degraded", std::move(degraded)}});
}

}  // namespace wallprof::http
