// Debug information from servers that have it by build id.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DEBUGINFOD_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DEBUGINFOD_H_

#include <string>

namespace wallprof::symbolize {

// The path of the debug information of this build id, downloaded from the
// servers of DEBUGINFOD_URLS to where DEBUGINFOD_CACHE_PATH says; empty if they
// have none, none is set, or libdebuginfod is not installed, which is loaded
// when it is first needed. Waits for the network, as long as DEBUGINFOD_TIMEOUT
// says.
std::string DownloadDebugFile(const std::string& build_id);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DEBUGINFOD_H_
