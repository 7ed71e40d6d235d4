#include "http/pages/metrics_page.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace wallprof::http {

namespace {

// Collects metric families as text.
class Exposition {
 public:
  void Gauge(absl::string_view name, absl::string_view help, double value) {
    Header(name, "gauge", help);
    Line(name, "", value);
  }

  void Counter(absl::string_view name, absl::string_view help, double value) {
    Header(name, "counter", help);
    Line(name, "", value);
  }

  void Header(absl::string_view name, absl::string_view type,
              absl::string_view help) {
    absl::StrAppend(&text_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ",
                    type, "\n");
  }

  // `labels` as Labels() gives them.
  void Line(absl::string_view name, absl::string_view labels, double value) {
    absl::StrAppend(&text_, name, labels, " ");
    // Counters stay exact to 2^53; StrCat's six digits would not do.
    if (value == static_cast<double>(static_cast<int64_t>(value))) {
      absl::StrAppend(&text_, static_cast<int64_t>(value), "\n");
    } else {
      absl::StrAppend(&text_, std::to_string(value), "\n");
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string Labels(
    const std::vector<std::pair<absl::string_view, std::string>>& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    absl::StrAppend(&text, text.size() > 1 ? "," : "", name, "=\"",
                    absl::StrReplaceAll(
                        value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
                    "\"");
  }
  text += '}';
  return text;
}

void AddLosses(const Statistics::Lost& lost, Exposition& exposition) {
  exposition.Header("wallprof_lost_total", "counter",
                    "Looks and samples lost, by reason.");
  const std::pair<const char*, int64_t> reasons[] = {
      {"truncated", lost.truncated}, {"overflow", lost.overflow},
      {"masked", lost.masked},       {"small_stack", lost.small_stack},
      {"exited", lost.exited},       {"late", lost.late},
      {"unseen", lost.unseen},       {"dropped", lost.dropped}};
  for (const auto& [reason, count] : reasons) {
    exposition.Line("wallprof_lost_total", Labels({{"reason", reason}}),
                    static_cast<double>(count));
  }
}

void AddDegradations(const std::vector<Degradation>& degraded,
                     Exposition& exposition) {
  exposition.Header("wallprof_degraded", "gauge",
                    "1 for what the kernel withholds.");
  for (const Degradation& degradation : degraded) {
    exposition.Line("wallprof_degraded",
                    Labels({{"what", degradation.what},
                            {"why", degradation.why},
                            {"instead", degradation.instead}}),
                    1);
  }
}

void AddLooks(const Statistics& stats, Exposition& exposition) {
  exposition.Counter("wallprof_unchanged_total",
                     "Looks at threads that had not run.", stats.unchanged);
  exposition.Counter("wallprof_memo_hits_total",
                     "Looks at threads blocked again in the same place.",
                     stats.memo_hits);
  exposition.Counter("wallprof_walks_total", "Stacks unwound.", stats.walks);
  exposition.Counter("wallprof_interrupts_total",
                     "Requests to running threads.", stats.interrupts);
  exposition.Counter("wallprof_eintr_delivered_total",
                     "System calls seen ending in EINTR under a request.",
                     stats.eintr_delivered);
}

}  // namespace

std::string MetricsText(const Statistics& stats, const HandlerCounts& counts) {
  Exposition exposition;
  exposition.Header("wallprof_build_info", "gauge", "1, labelled by version.");
  exposition.Line("wallprof_build_info",
                  Labels({{"version", WALLPROF_VERSION}}), 1);
  exposition.Header("wallprof_mode", "gauge",
                    "1, labelled by what is measured and what samples.");
  exposition.Line("wallprof_mode",
                  Labels({{"measures", stats.cpu_only ? "cpu" : "wall"},
                          {"source", stats.source}}),
                  1);
  exposition.Gauge("wallprof_target_hz", "Looks a second asked for.",
                   stats.frequency_hz);
  exposition.Gauge("wallprof_achieved_hz",
                   "Looks a second made; of CPU time, where only that "
                   "is measured.",
                   stats.achieved_hz);
  exposition.Gauge("wallprof_threads", "Threads watched now.", stats.threads);
  exposition.Gauge("wallprof_memory_bytes", "Anonymous memory in use.",
                   stats.memory_bytes);
  exposition.Counter("wallprof_ticks_total", "Ticks of the sampler.",
                     stats.ticks);
  exposition.Counter("wallprof_cpu_seconds_total",
                     "CPU time of the profiler's threads.",
                     absl::ToDoubleSeconds(stats.cpu_time));
  exposition.Counter("wallprof_late_seconds_total",
                     "Lateness of ticks, summed.",
                     absl::ToDoubleSeconds(stats.late_total));
  AddLooks(stats, exposition);
  AddLosses(stats.lost, exposition);
  AddDegradations(stats.degraded, exposition);
  exposition.Gauge("wallprof_http_measurements", "Requests that measure now.",
                   counts.measuring);
  exposition.Counter("wallprof_http_refused_total",
                     "Requests refused because too many measured.",
                     counts.refused);
  return exposition.Take();
}

}  // namespace wallprof::http
