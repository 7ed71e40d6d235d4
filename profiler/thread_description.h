// A thread as the sampler last saw it, for people.
#ifndef WALLPROF_PROFILER_THREAD_DESCRIPTION_H_
#define WALLPROF_PROFILER_THREAD_DESCRIPTION_H_

#include <string>
#include <vector>

#include "profiler/capture/sampler.h"
#include "profiler/threads/task_directory.h"
#include "profiler/threads/wait_target.h"
#include "wallprof/profile.h"
#include "wallprof/profiler.h"

namespace wallprof {

// The names of a sample's frames, root first.
std::vector<std::string> FrameNames(const Profile& profile,
                                    const Sample& sample);

// `stack` is its frames' names, root first. What it waits for is looked up now,
// and left out if the thread is no longer where the look found it.
ThreadInfo DescribeThread(const capture::ThreadView& view,
                          std::vector<std::string> stack,
                          const threads::TaskDirectory& tasks,
                          const threads::WaitWorld& world);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_THREAD_DESCRIPTION_H_
