// How a session goes, as the public interface tells it.
#ifndef WALLPROF_PROFILER_STATISTICS_H_
#define WALLPROF_PROFILER_STATISTICS_H_

#include "profiler/capture/session.h"
#include "wallprof/profiler.h"

namespace wallprof {

// Thread-safe. Memory is the session's alone.
Statistics StatisticsOf(const capture::Session& session);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_STATISTICS_H_
