#include "profiler/record/clocks.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "profiler/threads/clock.h"

namespace wallprof::record {
namespace {

// Less is what the readings are apart, on a machine whose CPUs are busy, and
// what time servers correct little by little.
constexpr int64_t kNoticedNs = 100'000'000;

std::string Text(int64_t ns) {
  return absl::FormatDuration(
      absl::Trunc(absl::Nanoseconds(ns), absl::Milliseconds(1)));
}

}  // namespace

ClockReading ReadSystemClocks() {
  return {threads::MonotonicNs(), threads::NowNs(CLOCK_BOOTTIME),
          threads::NowNs(CLOCK_REALTIME)};
}

std::vector<Event> ClockWatch::Observe(const ClockReading& now) {
  std::vector<Event> events;
  if (last_) {
    const int64_t awake = now.monotonic_ns - last_->monotonic_ns;
    const int64_t passed = now.boottime_ns - last_->boottime_ns;
    const int64_t shown = now.wall_ns - last_->wall_ns;
    if (passed - awake >= kNoticedNs) {
      events.push_back({now.wall_ns, EventKind::kSuspended,
                        absl::StrCat("for ", Text(passed - awake))});
    }
    if (std::abs(shown - passed) >= kNoticedNs) {
      events.push_back({now.wall_ns, EventKind::kClockStep,
                        absl::StrCat("by ", Text(shown - passed))});
    }
  }
  last_ = now;
  return events;
}

}  // namespace wallprof::record
