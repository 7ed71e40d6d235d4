#include "fleet/pgo/server/worker_metrics.h"

#include "absl/strings/str_cat.h"
#include "fleet/pgo/server/server.h"

namespace wallprof::pgo {
namespace {

struct Count {
  const char* name;
  const char* help;
  int64_t WorkerCounts::*value;
};

constexpr Count kCounts[] = {
    {"merged", "Profiles that became part of a base.", &WorkerCounts::merged},
    {"duplicates", "Events of profiles that were part of a base already.",
     &WorkerCounts::duplicates},
    {"quarantined", "Profiles put aside since they cannot be merged.",
     &WorkerCounts::quarantined},
    {"conflicts", "Versions that another worker was quicker with.",
     &WorkerCounts::conflicts},
    {"deleted", "Staged profiles removed after merging.",
     &WorkerCounts::deleted},
    {"failures", "Tries that have to be made again.", &WorkerCounts::failures},
};

}  // namespace

void AddWorkerMetrics(const Worker& worker, serving::Metrics& metrics) {
  for (const Count& count : kCounts) {
    metrics.AddCountReading(
        absl::StrCat(kMetricsPrefix, "_", count.name, "_total"), count.help,
        [&worker, value = count.value] {
          return static_cast<double>(worker.counts().*value);
        });
  }
}

}  // namespace wallprof::pgo
