// Names as Pyroscope's senders have them: "shop.cpu{host=db-1}".
#ifndef WALLPROF_FLEET_COLLECTOR_PYROSCOPE_NAME_H_
#define WALLPROF_FLEET_COLLECTOR_PYROSCOPE_NAME_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "fleet/store/profile_info.h"

namespace wallprof::collector {

// The series that "service.kind{key=value,key=value}" is. A kind that is known
// decides the type; another one belongs to the service's name, and the type is
// `other`. InvalidArgument saying what is wrong with it.
absl::StatusOr<store::Series> SeriesOfPyroscopeName(std::string_view name);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_PYROSCOPE_NAME_H_
