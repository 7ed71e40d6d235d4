// What a store says of itself, for Prometheus.
#ifndef WALLPROF_FLEET_COLLECTOR_STORE_METRICS_H_
#define WALLPROF_FLEET_COLLECTOR_STORE_METRICS_H_

#include <string>

#include "fleet/serving/metrics.h"
#include "fleet/store/profile_store.h"

namespace wallprof::collector {

// Names begin with `prefix`. `store` must outlive `metrics`' last reading.
void AddStoreMetrics(store::ProfileStore& store, const std::string& prefix,
                     serving::Metrics& metrics);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_STORE_METRICS_H_
