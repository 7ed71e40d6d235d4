#include "profiler/threads/label_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "wallprof/labels.h"

namespace wallprof::threads {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// The label set of the thread `tid`, as the sampler sees it; nullopt where it
// has no slot.
std::optional<uint32_t> SetOf(Tid tid) {
  std::optional<uint32_t> set;
  LabelRegistry::Get().VisitSlots(
      [&](Tid visited, const std::atomic<uint32_t>& current) {
        if (visited == tid) set = current.load();
      });
  return set;
}

LabelRegistry::Set LabelsNow() {
  return LabelRegistry::Get().Labels(SetOf(OwnTid()).value_or(0));
}

TEST(LabelRegistryTest, SetZeroIsEmpty) {
  EXPECT_THAT(LabelRegistry::Get().Labels(0), IsEmpty());
}

TEST(LabelRegistryTest, EqualSetsHaveOneNumberWhateverTheirOrder) {
  LabelRegistry& registry = LabelRegistry::Get();
  const uint32_t ab = registry.With(registry.With(0, "a", "1"), "b", "2");
  const uint32_t ba = registry.With(registry.With(0, "b", "2"), "a", "1");
  EXPECT_EQ(ab, ba);
  EXPECT_NE(ab, registry.With(0, "a", "1"));
  EXPECT_THAT(registry.Labels(ab), ElementsAre(Pair("a", "1"), Pair("b", "2")));
}

TEST(LabelRegistryTest, AKeyHasOneValue) {
  LabelRegistry& registry = LabelRegistry::Get();
  const uint32_t inner = registry.With(registry.With(0, "k", "1"), "k", "2");
  EXPECT_THAT(registry.Labels(inner), ElementsAre(Pair("k", "2")));
}

TEST(LabelRegistryTest, RecentOnesAreToldApart) {
  LabelRegistry& registry = LabelRegistry::Get();
  std::vector<std::string> texts = {"", "a", "b", std::string(300, 'a'),
                                    std::string(300, 'b')};
  for (int i = 0; i < 200; ++i) texts.push_back("value " + std::to_string(i));
  // Twice, so that the second time finds what the first has left.
  for (int round = 0; round < 2; ++round) {
    for (const std::string& text : texts) {
      for (const uint32_t outer : {0u, registry.With(0, "outer", text)}) {
        EXPECT_EQ(registry.WithRecent(outer, "k", text),
                  registry.With(outer, "k", text));
        EXPECT_EQ(registry.WithRecent(outer, text, "k"),
                  registry.With(outer, text, "k"));
      }
    }
  }
}

TEST(LabelRegistryTest, UnknownNumbersAreEmptySets) {
  EXPECT_THAT(LabelRegistry::Get().Labels(~0u), IsEmpty());
}

TEST(ScopedLabelTest, NestedLabelsAddUpAndGoAgain) {
  {
    ScopedLabel endpoint("endpoint", "/search");
    EXPECT_THAT(LabelsNow(), ElementsAre(Pair("endpoint", "/search")));
    {
      ScopedLabel user("user", "ada");
      EXPECT_THAT(LabelsNow(), ElementsAre(Pair("endpoint", "/search"),
                                           Pair("user", "ada")));
    }
    EXPECT_THAT(LabelsNow(), ElementsAre(Pair("endpoint", "/search")));
  }
  EXPECT_THAT(LabelsNow(), IsEmpty());
}

TEST(ScopedLabelTest, InnerLabelOfTheSameKeyHidesTheOuter) {
  ScopedLabel outer("endpoint", "/search");
  {
    ScopedLabel inner("endpoint", "/suggest");
    EXPECT_THAT(LabelsNow(), ElementsAre(Pair("endpoint", "/suggest")));
  }
  EXPECT_THAT(LabelsNow(), ElementsAre(Pair("endpoint", "/search")));
}

TEST(ScopedLabelTest, IsTheCallingThreadsAlone) {
  ScopedLabel label("who", "main");
  std::thread([] {
    EXPECT_THAT(LabelsNow(), IsEmpty());
    ScopedLabel own("who", "other");
    EXPECT_THAT(LabelsNow(), ElementsAre(Pair("who", "other")));
  }).join();
  EXPECT_THAT(LabelsNow(), ElementsAre(Pair("who", "main")));
}

TEST(ScopedLabelTest, KeepsItsTextWhenTheCallersIsGone) {
  std::string value = "before";
  ScopedLabel label("key", value);
  value = "after!";
  EXPECT_THAT(LabelsNow(), ElementsAre(Pair("key", "before")));
}

TEST(ScopedLabelTest, SlotIsGivenBackWhenTheThreadEnds) {
  Tid tid = 0;
  uint64_t during = 0;
  const uint64_t before = LabelRegistry::Get().generation();
  std::thread([&] {
    tid = OwnTid();
    ScopedLabel label("key", "value");
    EXPECT_TRUE(SetOf(tid).has_value());
    during = LabelRegistry::Get().generation();
  }).join();
  EXPECT_FALSE(SetOf(tid).has_value());
  EXPECT_NE(before, during) << "the sampler must hear of a new slot";
  EXPECT_NE(during, LabelRegistry::Get().generation())
      << "and of one given back";
}

TEST(ScopedLabelTest, SlotsAreUsedAgain) {
  // Many more threads than slots, a few at a time.
  constexpr int kRounds = ScopedLabel::kMaxLabelledThreads / 4 + 50;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([] {
        ScopedLabel label("key", "value");
        ASSERT_TRUE(SetOf(OwnTid()).has_value());
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(LabelRegistryTest, ManyThreadsInternAndRead) {
  constexpr int kThreads = 8;
  std::vector<std::thread> threads;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      LabelRegistry::Get().VisitSlots(
          [](Tid, const std::atomic<uint32_t>& current) {
            for (const auto& [key, value] :
                 LabelRegistry::Get().Labels(current.load())) {
              ASSERT_THAT(key, ::testing::AnyOf("shared", "own"));
            }
          });
    }
  });
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        ScopedLabel shared("shared", std::to_string(i % 10));
        ScopedLabel own("own", std::to_string(t));
        ASSERT_THAT(LabelsNow(),
                    ElementsAre(Pair("own", std::to_string(t)),
                                Pair("shared", std::to_string(i % 10))));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
}

// A child inherits whatever lock another thread held as it was forked.
TEST(ScopedLabelTest, CanBeMadeInAForkedChildWhileOtherThreadsMakeThem) {
  std::atomic<bool> done{false};
  std::vector<std::thread> busy;
  for (int t = 0; t < 3; ++t) {
    busy.emplace_back([&] {
      while (!done) ScopedLabel label("key", "value");
    });
  }
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(10);
      ScopedLabel label("in", "child");
      _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status)) {
      ADD_FAILURE() << "the child hung";
      break;
    }
  }
  done = true;
  for (std::thread& thread : busy) thread.join();
}

TEST(ScopedLabelTest, ForkedChildHasTheSlotOfTheThreadThatForkedAlone) {
  ScopedLabel label("key", "value");
  std::atomic<Tid> other{0};
  std::atomic<uint32_t> go_on{0};
  std::thread labelled([&] {
    ScopedLabel label("other", "thread");
    other = OwnTid();
    other.notify_all();
    go_on.wait(0);
  });
  other.wait(0);
  const Tid parent = OwnTid();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool ok =
        SetOf(OwnTid()).value_or(0) != 0 && !SetOf(parent) && !SetOf(other);
    _exit(ok ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(SetOf(parent).has_value());
  EXPECT_TRUE(SetOf(other).has_value());
  go_on = 1;
  go_on.notify_all();
  labelled.join();
}

}  // namespace
}  // namespace wallprof::threads
