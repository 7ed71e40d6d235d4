#include "profiler/statistics.h"

#include <atomic>
#include <utility>

#include "profiler/capture/signal/handler.h"

namespace wallprof {
namespace {

double Rate(int64_t count, int64_t ns) {
  return ns > 0 ? static_cast<double>(count) / (static_cast<double>(ns) / 1e9)
                : 0;
}

Statistics::Lost LostOf(const stacks::Tallies& tallies) {
  Statistics::Lost lost;
  lost.truncated = tallies.lost_truncated.get();
  lost.overflow = tallies.lost_overflow.get();
  lost.masked = tallies.lost_masked.get();
  lost.small_stack = tallies.lost_small_stack.get();
  lost.exited = tallies.lost_exited.get();
  lost.late = tallies.lost_late.get();
  lost.unseen = tallies.lost_unseen.get();
  lost.dropped = tallies.lost_dropped.get();
  return lost;
}

}  // namespace

Statistics StatisticsOf(const capture::Session& session) {
  Statistics result;
  const stacks::Recording& recording = session.recording();
  const stacks::Tallies& tallies = recording.tallies();
  result.cpu_only = session.cpu_only();
  result.source = session.source();
  result.frequency_hz = session.frequency_hz();
  result.ticks = tallies.ticks.get();
  // Samples are counted where they do not come from looks.
  result.achieved_hz =
      tallies.samples.get() > 0
          ? Rate(tallies.samples.get(), tallies.program_cpu_ns.get())
          : Rate(result.ticks, recording.last_tick_ns() - recording.start_ns());
  result.threads = tallies.threads.get();
  result.cpu_time = absl::Nanoseconds(session.own_cpu_ns());
  result.memory_bytes = session.memory_bytes();
  result.unchanged = tallies.unchanged.get();
  result.memo_hits = tallies.memo_hits.get();
  result.walks = tallies.walks.get();
  result.interrupts = tallies.interrupts.get();
  result.eintr_delivered =
      capture::GetSignalTallies().eintr.load(std::memory_order_relaxed);
  result.late_total = absl::Nanoseconds(tallies.late_ns.get());
  result.lost = LostOf(tallies);
  for (capture::Shortfall& shortfall : session.kernel().shortfalls()) {
    result.degraded.push_back({std::move(shortfall.what),
                               std::move(shortfall.why),
                               std::move(shortfall.instead)});
  }
  return result;
}

}  // namespace wallprof
