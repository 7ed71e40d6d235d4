#ifndef WALLPROF_PROFILER_SYMBOLIZE_ADDRESS_RANGE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_ADDRESS_RANGE_H_

#include <cstdint>

namespace wallprof::symbolize {

// Before relocation.
struct AddressRange {
  uint64_t begin = 0;
  uint64_t end = 0;  // behind it
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_ADDRESS_RANGE_H_
