// The profiler's own numbers for Prometheus, in its text exposition format.
#ifndef WALLPROF_HTTP_PAGES_METRICS_PAGE_H_
#define WALLPROF_HTTP_PAGES_METRICS_PAGE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "wallprof/profiler.h"

namespace wallprof::http {

inline constexpr std::string_view kMetricsType =
    "text/plain; version=0.0.4; charset=utf-8";

// What the handler knows of its own work.
struct HandlerCounts {
  int64_t measuring = 0;  // requests that measure now
  int64_t refused = 0;    // turned away because too many did
};

std::string MetricsText(const Statistics& stats, const HandlerCounts& counts);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_METRICS_PAGE_H_
