#include "profiler/capture/look_gap.h"

#include <algorithm>
#include <utility>

namespace wallprof::capture {
namespace {

// A gap is this part of the time that the thread has slept: what it does in
// cycles is met about as often as that many looks a cycle.
constexpr int64_t kLooksPerSleep = 32;

// A look at a sleeping thread takes 0.25 us, or twice that out of the caches.
constexpr int64_t kGapNsPerThread = 40'000;
constexpr int64_t kMaxGapNs = 250'000'000;

// Shorter gaps leave out no tick at any usual rate.
constexpr int64_t kMinGapNs = 1'000'000;

// From 0.5 to 1.5 times as long, at random: so that threads that fell asleep
// together take turns, and looks do not fall in step with cycles.
int64_t Varied(int64_t gap, int32_t tid, int64_t now_ns) {
  constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
  constexpr int kBits = 10;
  const uint64_t mixed =
      (static_cast<uint64_t>(now_ns) + static_cast<uint64_t>(tid)) *
      kGoldenRatio;
  const auto random = static_cast<int64_t>(mixed >> (64 - kBits));
  return gap / 2 + gap * random / (1 << kBits);
}

}  // namespace

int64_t LongestGapNs(size_t threads) {
  return std::min(static_cast<int64_t>(threads) * kGapNsPerThread, kMaxGapNs);
}

int64_t TakeGap(ObservedThread& thread, int64_t now_ns, int64_t longest_ns,
                int64_t any_ns) {
  int64_t wanted = any_ns;
  if (thread.settled) {
    const int64_t slept = now_ns - thread.moved_ns;
    wanted = std::max(wanted, std::min(slept / kLooksPerSleep, longest_ns));
  }
  wanted = Varied(wanted, thread.tid, now_ns);
  if (any_ns == 0) wanted = std::max(wanted, thread.next_gap_ns / 4 * 3);
  if (wanted < kMinGapNs) wanted = 0;
  return std::exchange(thread.next_gap_ns, wanted);
}

}  // namespace wallprof::capture
