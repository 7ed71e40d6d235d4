#include "profiler/capture/look_budget.h"

#include <gtest/gtest.h>

namespace wallprof::capture {
namespace {

constexpr int64_t kPeriod = 10'000'000;

// CPU time of a tick in which all threads' looks would take `all_ns`, when a
// look at each is followed by such a gap.
int64_t Cost(int64_t all_ns, int64_t gap_ns) {
  return all_ns * kPeriod / (kPeriod + gap_ns);
}

void Settle(LookBudget& budget, int64_t all_ns, int ticks = 2000) {
  for (int i = 0; i < ticks; ++i) {
    budget.Update(Cost(all_ns, budget.gap_ns()), kPeriod);
  }
}

TEST(LookBudgetTest, CheapTicksHaveNoGaps) {
  LookBudget budget;
  Settle(budget, LookBudget::kTickNs * 9 / 10);
  EXPECT_EQ(budget.gap_ns(), 0);
}

TEST(LookBudgetTest, CostlyTicksAreBroughtDownToTheBudget) {
  for (const int64_t times : {2, 5, 20}) {
    LookBudget budget;
    Settle(budget, LookBudget::kTickNs * times);
    const int64_t cost = Cost(LookBudget::kTickNs * times, budget.gap_ns());
    EXPECT_GT(cost, LookBudget::kTickNs * 8 / 10) << times;
    EXPECT_LE(cost, LookBudget::kTickNs * 11 / 10) << times;
  }
}

TEST(LookBudgetTest, OneCostlyTickChangesNothing) {
  LookBudget budget;
  Settle(budget, LookBudget::kTickNs / 10);
  budget.Update(30 * LookBudget::kTickNs, kPeriod);
  Settle(budget, LookBudget::kTickNs / 10, 1);
  EXPECT_EQ(budget.gap_ns(), 0);
}

TEST(LookBudgetTest, GapsGoWhenLooksAreCheapAgain) {
  LookBudget budget;
  Settle(budget, 5 * LookBudget::kTickNs);
  Settle(budget, LookBudget::kTickNs / 2, 300);
  EXPECT_EQ(budget.gap_ns(), 0);
}

TEST(LookBudgetTest, GapsEndAtASecond) {
  LookBudget budget;
  Settle(budget, 10'000 * LookBudget::kTickNs);
  EXPECT_EQ(budget.gap_ns(), 1'000'000'000);
}

}  // namespace
}  // namespace wallprof::capture
