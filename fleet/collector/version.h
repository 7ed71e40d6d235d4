// What /api/0/version says.
#ifndef WALLPROF_FLEET_COLLECTOR_VERSION_H_
#define WALLPROF_FLEET_COLLECTOR_VERSION_H_

#include <string>

namespace wallprof::collector {

struct Version {
  std::string version;
  std::string commit;
  std::string build_time;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_VERSION_H_
