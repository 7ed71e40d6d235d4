// Every thread as the last look found it: name, state, what it waits for,
// stack. As text it reads like Go's goroutine dump.
#ifndef WALLPROF_HTTP_PAGES_THREADS_PAGE_H_
#define WALLPROF_HTTP_PAGES_THREADS_PAGE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fleet/bundle/threads_json.h"
#include "wallprof/profiler.h"

namespace wallprof::http {

// Leaf first, as a debugger prints.
std::string ThreadsText(const std::vector<ThreadInfo>& threads, absl::Time now);

using bundle::ThreadsJson;

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_THREADS_PAGE_H_
