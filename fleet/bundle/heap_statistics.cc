#include "fleet/bundle/heap_statistics.h"

#include "fleet/bundle/json.h"
#include "fleet/bundle/libc_allocator.h"
#include "wallprof/bundle.h"

namespace wallprof {
namespace bundle {
namespace {

// When the program is loaded.
const bool g_malloc_is_libcs = AllocatorIsLibcs() != 0;

}  // namespace

std::string HeapStatisticsJson(const struct mallinfo2& info) {
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

}  // namespace bundle

absl::StatusOr<std::string> BundleOptions::HeapStatisticsOfLibc() {
  if (!bundle::g_malloc_is_libcs) {
    return absl::FailedPreconditionError(
        "the program's allocator is not libc's");
  }
  return bundle::HeapStatisticsJson(mallinfo2());
}

}  // namespace wallprof
