// Numbers of libc's allocator, as a bundle shows them.
#ifndef WALLPROF_FLEET_BUNDLE_HEAP_STATISTICS_H_
#define WALLPROF_FLEET_BUNDLE_HEAP_STATISTICS_H_

#include <malloc.h>

#include <string>

namespace wallprof::bundle {

std::string HeapStatisticsJson(const struct mallinfo2& info);

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_HEAP_STATISTICS_H_
