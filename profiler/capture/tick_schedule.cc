#include "profiler/capture/tick_schedule.h"

#include <algorithm>
#include <cmath>

namespace wallprof::capture {
namespace {

constexpr double kGoldenFraction = 0.6180339887498949;
constexpr double kNsPerSecond = 1e9;

}  // namespace

TickSchedule::TickSchedule(int64_t start_ns, int frequency_hz, double phase)
    : start_ns_(start_ns), frequency_hz_(frequency_hz), phase_(phase) {}

int64_t TickSchedule::TickTime(int64_t period) const {
  const double at = phase_ + static_cast<double>(period) * kGoldenFraction;
  const double fraction = at - std::floor(at);
  return start_ns_ +
         static_cast<int64_t>((static_cast<double>(period) + fraction) *
                              kNsPerSecond / frequency_hz_);
}

int64_t TickSchedule::Next(int64_t now_ns) {
  const auto running_period = static_cast<int64_t>(
      static_cast<double>(now_ns - start_ns_) * frequency_hz_ / kNsPerSecond);
  period_ = std::max(period_, running_period);
  while (TickTime(period_) <= now_ns) ++period_;
  return TickTime(period_++);
}

void TickSchedule::SetFrequency(int64_t now_ns, int frequency_hz) {
  if (frequency_hz == frequency_hz_) return;
  // The sequence of fractions goes on where it was.
  phase_ += static_cast<double>(period_) * kGoldenFraction;
  phase_ -= std::floor(phase_);
  start_ns_ = now_ns;
  frequency_hz_ = frequency_hz;
  period_ = 0;
}

}  // namespace wallprof::capture
