// Shorter stacks in a profile that is otherwise as it was.
#ifndef WALLPROF_PROFILER_PROFILE_CUT_STACKS_H_
#define WALLPROF_PROFILER_PROFILE_CUT_STACKS_H_

#include "wallprof/filter.h"
#include "wallprof/profile.h"

namespace wallprof {

// As Prune, without adding up what became equal: each sample stays in its
// place, and locations that nothing leads to any more stay too. The profile
// must pass CheckValid.
void CutStacks(const NameMatch& drop, const NameMatch& keep, Profile& profile);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_CUT_STACKS_H_
