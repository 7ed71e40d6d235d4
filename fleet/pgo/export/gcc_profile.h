// What GCC takes by -fauto-profile.
#ifndef WALLPROF_FLEET_PGO_EXPORT_GCC_PROFILE_H_
#define WALLPROF_FLEET_PGO_EXPORT_GCC_PROFILE_H_

#include <string>

#include "fleet/pgo/export/function_counts.h"

namespace wallprof::pgo {

// `table`, of discriminators that are ignored, in version 2 of the form that
// GCC's manual calls gcov; as GCC 12 and later read it, whose strings are
// counted in bytes. Those before count them in words, as what create_gcov
// writes does: GCC 12 crashes on that.
std::string GccProfile(const FunctionTable& table);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_GCC_PROFILE_H_
