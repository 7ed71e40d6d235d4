// Where stacks lie: which mapping an address is in, and whether threads with
// small stacks may exist.
#ifndef WALLPROF_PROFILER_CAPTURE_STACK_REGIONS_H_
#define WALLPROF_PROFILER_CAPTURE_STACK_REGIONS_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace wallprof::capture {

struct StackRegion {
  uint64_t start = 0;
  uint64_t limit = 0;
  bool is_main = false;  // the kernel's [stack], which never goes away

  uint64_t size() const { return limit - start; }
};

// A signal frame takes up to 12 KiB (AT_MINSIGSTKSZ with AMX), and how deep a
// running thread is in its stack cannot be told from outside. A stack of a
// smaller mapping than this is not interrupted.
inline constexpr uint64_t kMinInterruptibleStack = 64 << 10;

// An inaccessible mapping of more is a reservation (an arena, a sanitizer's or
// a managed heap), not the guard of a stack: a guard is a page by default, and
// those who ask for more ask for what one frame can jump over.
inline constexpr uint64_t kMaxStackGuard = 1 << 20;

// From the text of /proc/PID/maps; immutable until the next Update.
class StackRegions {
 public:
  void Update(std::string_view maps);

  // The writable mapping that holds `address`, or nullptr.
  const StackRegion* Find(uint64_t address) const;

  // Whether there is anonymous memory under kMinInterruptibleStack above a
  // guard, the form that pthread_create gives small stacks. While there is,
  // a thread whose stack was never seen may be on it.
  bool has_small_stacks() const { return has_small_stacks_; }

 private:
  std::vector<StackRegion> regions_;  // by address
  bool has_small_stacks_ = false;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_STACK_REGIONS_H_
