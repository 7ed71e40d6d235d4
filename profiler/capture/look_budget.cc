#include "profiler/capture/look_budget.h"

#include <algorithm>

namespace wallprof::capture {
namespace {

// The average reaches back over about so many ticks.
constexpr double kMemory = 50;

// By how much a gap grows or shrinks from tick to tick: slower than the average
// follows, so that it does not swing.
constexpr double kStep = 0.02;

// Between this part of the budget and all of it gaps stay as they are.
constexpr double kEnough = 0.9;

// However long looks take, each thread has some.
constexpr double kMaxGapNs = 1e9;

}  // namespace

void LookBudget::Update(int64_t cost_ns, int64_t period_ns) {
  cost_ns_ += (static_cast<double>(cost_ns) - cost_ns_) / kMemory;
  // Less than half a period leaves out no tick.
  const double shortest = static_cast<double>(period_ns) / 2;
  double gap = static_cast<double>(gap_ns_);
  if (cost_ns_ > kTickNs) {
    gap = std::min(std::max(gap, shortest) * (1 + kStep), kMaxGapNs);
  } else if (cost_ns_ < kTickNs * kEnough) {
    gap = gap < shortest ? 0 : gap * (1 - kStep);
  }
  gap_ns_ = static_cast<int64_t>(gap);
}

}  // namespace wallprof::capture
