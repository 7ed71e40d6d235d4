// A measurement as a profile: addresses and labels, no names yet.
#ifndef WALLPROF_PROFILER_STACKS_MEASURED_PROFILE_H_
#define WALLPROF_PROFILER_STACKS_MEASURED_PROFILE_H_

#include <functional>
#include <string>
#include <vector>

#include "profiler/stacks/recording.h"
#include "profiler/stacks/snapshot.h"
#include "wallprof/profile.h"

namespace wallprof::stacks {

// The name of a system call by its number.
using SyscallNames = std::function<std::string(int)>;

// The labels of a sample that others know: those of its label set, which are
// the program's, and those of its target.
using OtherLabels = std::function<std::vector<Label>(const SampleKey&)>;

// A wall profile of types samples/count, cpu/nanoseconds, wall/nanoseconds.
// Frames of code become locations without lines; pseudo-frames are named.
// The period is what was achieved. Where CPU time alone was measured, a CPU
// profile: types samples/count, cpu/nanoseconds.
Profile MeasuredProfile(const Recording& recording,
                        const Measurement& measurement,
                        const SyscallNames& syscall_name,
                        const OtherLabels& labels_of);

// Waits for locks: types samples/count, lockwait/nanoseconds. Each stack is the
// waiter's from the root on, [held by], and the holder's. The label `holder`
// tells whether the holder was running.
Profile LockWaitProfile(const Recording& recording,
                        const Measurement& measurement,
                        const SyscallNames& syscall_name,
                        const OtherLabels& labels_of);

// How the sampling of a window went, for the profile's comments: the rate that
// was achieved, lateness, and each loss by its reason.
std::vector<std::string> LossComments(const Measurement& measurement);

// "running", "runnable", "blocked" or "disk".
const char* ThreadStateName(ThreadState state);

// What a sample of this `wait` waits for; empty for nothing.
std::string WaitName(uint16_t wait, const SyscallNames& syscall_name);

}  // namespace wallprof::stacks

#endif  // WALLPROF_PROFILER_STACKS_MEASURED_PROFILE_H_
