// What happens beyond the registry's limits. In a program of their own: the
// registry never gives back what it has once interned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "profiler/threads/label_registry.h"
#include "wallprof/labels.h"

namespace wallprof::threads {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(LabelLimitsTest, BeyondTheMostSetsAValueIsOverflow) {
  LabelRegistry& registry = LabelRegistry::Get();
  const uint32_t known = registry.With(0, "key", "0");
  for (uint32_t i = 1; i < ScopedLabel::kMaxLabelSets; ++i) {
    registry.With(0, "key", std::to_string(i));
  }
  EXPECT_THAT(registry.Labels(registry.With(0, "one", "more")),
              ElementsAre(Pair("one", "[overflow]")));
  EXPECT_EQ(registry.With(0, "one", "more"), registry.With(0, "one", "other"));
  EXPECT_EQ(registry.With(0, "key", "0"), known) << "known ones stay known";
  {
    ScopedLabel outer("key", "0");
    ScopedLabel too_many("one", "more");
    EXPECT_THAT(registry.Labels(registry.OwnSlot()->current.load()),
                ElementsAre(Pair("key", "0"), Pair("one", "[overflow]")));
  }
  EXPECT_EQ(registry.OwnSlot()->current.load(), 0u);
  // Keys without end are left out at last.
  uint32_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    last = registry.With(known, "key" + std::to_string(i), "x");
  }
  EXPECT_EQ(last, known);
}

// Threads that each hold a label until all have one.
struct Crowd {
  std::atomic<uint32_t> labelled{0};
  std::atomic<uint32_t> without_slot{0};
  std::atomic<uint32_t> go_on{0};
};

void* JoinCrowd(void* argument) {
  auto* crowd = static_cast<Crowd*>(argument);
  ScopedLabel label("key", "value");
  ScopedLabel nested("nested", "value");
  if (LabelRegistry::Get().OwnSlot() == nullptr) ++crowd->without_slot;
  ++crowd->labelled;
  crowd->labelled.notify_all();
  crowd->go_on.wait(0);
  return nullptr;
}

TEST(LabelLimitsTest, BeyondTheMostThreadsALabelIsLeftOut) {
  ASSERT_NE(LabelRegistry::Get().OwnSlot(), nullptr);  // takes one
  constexpr uint32_t kTooMany = 3;
  constexpr uint32_t kThreads = ScopedLabel::kMaxLabelledThreads - 1 + kTooMany;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  Crowd crowd;
  std::vector<pthread_t> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &small, JoinCrowd, &crowd) != 0) break;
    threads.push_back(thread);
  }
  for (uint32_t n = crowd.labelled; n < threads.size(); n = crowd.labelled) {
    crowd.labelled.wait(n);
  }
  crowd.go_on = 1;
  crowd.go_on.notify_all();
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  pthread_attr_destroy(&small);
  if (threads.size() < kThreads) {
    GTEST_SKIP() << "no more than " << threads.size() << " threads here";
  }
  EXPECT_EQ(crowd.without_slot, kTooMany);
  uint32_t in_use = 0;
  LabelRegistry::Get().VisitSlots(
      [&](Tid, const std::atomic<uint32_t>&) { ++in_use; });
  EXPECT_EQ(in_use, 1u) << "all others are free again";
}

}  // namespace
}  // namespace wallprof::threads
