#include "fleet/bundle/heap_statistics.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/bundle/json.h"
#include "fleet/bundle/libc_allocator.h"
#include "wallprof/bundle.h"

namespace wallprof {
namespace bundle {
namespace {

// When the program is loaded.
const bool g_malloc_is_libcs = AllocatorIsLibcs() != 0;

absl::Duration CpuTime() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

std::string Text(const struct mallinfo2& info) {
  return JsonText({{"allocator", "glibc"},
                   // What the program has allocated and not freed.
                   {"used_bytes", info.uordblks + info.hblkhd},
                   {"free_bytes", info.fordblks},
                   {"heap_bytes", info.arena},
                   {"mapped_bytes", info.hblkhd},
                   {"mapped_blocks", info.hblks},
                   {"free_blocks", info.ordblks},
                   {"fast_free_blocks", info.smblks},
                   {"fast_free_bytes", info.fsmblks},
                   {"trimmable_bytes", info.keepcost}});
}

}  // namespace

HeapStatistics::HeapStatistics(std::function<struct mallinfo2()> ask)
    : ask_(std::move(ask)) {}

absl::StatusOr<std::string> HeapStatistics::Read() {
  std::lock_guard lock(mutex_);
  if (longest_ > kMost) {
    return absl::FailedPreconditionError(absl::StrCat(
        "asking libc's allocator took ", absl::FormatDuration(longest_),
        " once, in which others waited for it; it is not asked again"));
  }
  const absl::Duration before = CpuTime();
  const struct mallinfo2 info = ask_();
  longest_ = std::max(longest_, CpuTime() - before);
  return Text(info);
}

}  // namespace bundle

absl::StatusOr<std::string> BundleOptions::HeapStatisticsOfLibc() {
  if (!bundle::g_malloc_is_libcs) {
    return absl::FailedPreconditionError(
        "the program's allocator is not libc's");
  }
  static bundle::HeapStatistics& statistics =
      *new bundle::HeapStatistics(mallinfo2);
  return statistics.Read();
}

}  // namespace wallprof
