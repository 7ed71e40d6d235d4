// Profiles as the instances of one large C++ service would have them.
#ifndef WALLPROF_BENCH_PPROF_MERGE_SERVICE_PROFILES_H_
#define WALLPROF_BENCH_PPROF_MERGE_SERVICE_PROFILES_H_

#include "wallprof/profile.h"

namespace wallprof {

// A wall profile of `samples` different stacks with labels, from the
// `instance`th process: each loads its modules elsewhere, and half of what it
// does others do too. The same for the same arguments.
Profile ServiceProfile(int instance, int samples);

}  // namespace wallprof

#endif  // WALLPROF_BENCH_PPROF_MERGE_SERVICE_PROFILES_H_
