// Stored profiles and series as JSON, in profefe's form.
#ifndef WALLPROF_FLEET_COLLECTOR_ENTRY_JSON_H_
#define WALLPROF_FLEET_COLLECTOR_ENTRY_JSON_H_

#include <string>

#include "absl/time/time.h"
#include "fleet/collector/envelope.h"
#include "fleet/store/profile_info.h"

namespace wallprof::collector {

// "2026-01-02T03:04:05Z"
std::string TimeText(absl::Time time);

Json JsonOf(const store::ProfileInfo& info);
Json JsonOf(const store::Series& series);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_ENTRY_JSON_H_
