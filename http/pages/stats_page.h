// What the profiler did and what it cost, for people and for programs.
#ifndef WALLPROF_HTTP_PAGES_STATS_PAGE_H_
#define WALLPROF_HTTP_PAGES_STATS_PAGE_H_

#include <string>

#include "wallprof/profiler.h"

namespace wallprof::http {

std::string StatsText(const Statistics& stats);
std::string StatsJson(const Statistics& stats);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_STATS_PAGE_H_
