// Names that nobody else gives.
#ifndef WALLPROF_FLEET_PGO_UUID_H_
#define WALLPROF_FLEET_PGO_UUID_H_

#include <string>

namespace wallprof::pgo {

// As RFC 9562 has version 4: 122 bits of chance. Safe from any thread.
std::string NewUuid();

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_UUID_H_
