// Numbers of libc's allocator, as a bundle shows them.
#ifndef WALLPROF_FLEET_BUNDLE_HEAP_STATISTICS_H_
#define WALLPROF_FLEET_BUNDLE_HEAP_STATISTICS_H_

#include <malloc.h>

#include <functional>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wallprof::bundle {

// Asks libc until that takes too long: mallinfo2 walks the free blocks of each
// arena with the arena locked, half a microsecond a block, and whoever
// allocates there waits. Thread-safe.
class HeapStatistics {
 public:
  // CPU time. Less than threads wait for each other on a busy CPU.
  static constexpr absl::Duration kMost = absl::Milliseconds(2);

  // `ask` is the program's mallinfo2.
  explicit HeapStatistics(std::function<struct mallinfo2()> ask);

  // As JSON. FailedPrecondition once it has taken more than kMost.
  absl::StatusOr<std::string> Read();

 private:
  const std::function<struct mallinfo2()> ask_;
  std::mutex mutex_;
  absl::Duration longest_;  // guarded by mutex_
};

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_HEAP_STATISTICS_H_
