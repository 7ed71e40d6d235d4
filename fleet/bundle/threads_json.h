// Every thread as the last look found it, for programs: entry threads.json of a
// bundle, and /threads?format=json.
#ifndef WALLPROF_FLEET_BUNDLE_THREADS_JSON_H_
#define WALLPROF_FLEET_BUNDLE_THREADS_JSON_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "wallprof/profiler.h"

namespace wallprof::bundle {

// Stacks root first. Bytes that are not UTF-8 become U+FFFD.
std::string ThreadsJson(const std::vector<ThreadInfo>& threads, absl::Time now);

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_THREADS_JSON_H_
