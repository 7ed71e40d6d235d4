// What a worker counts, for Prometheus.
#ifndef WALLPROF_FLEET_PGO_SERVER_WORKER_METRICS_H_
#define WALLPROF_FLEET_PGO_SERVER_WORKER_METRICS_H_

#include "fleet/pgo/base/worker.h"
#include "fleet/serving/metrics.h"

namespace wallprof::pgo {

// `worker` must outlive `metrics`' last reading.
void AddWorkerMetrics(const Worker& worker, serving::Metrics& metrics);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SERVER_WORKER_METRICS_H_
