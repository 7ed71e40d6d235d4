#include "profiler/capture/accountant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "profiler/stacks/snapshot.h"

namespace wallprof::capture {
namespace {

using stacks::Counts;
using stacks::EntryId;
using stacks::Frame;
using stacks::PseudoFrame;
using stacks::SampleKey;
using stacks::StackId;
using stacks::ThreadState;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class AccountantTest : public ::testing::Test {
 protected:
  // A thread first met at tick time `now`, the tick before having been at
  // `previous`.
  ObservedThread NewThread(int64_t previous) {
    ObservedThread thread;
    thread.tid = 1;
    thread.record = recording_->AddThread(1, "thread");
    thread.last_look_ns = previous;
    return thread;
  }

  // A stack of one frame of code.
  StackId Stack(uint64_t number) {
    const Frame frame = Frame::Code(1, number);
    return recording_->table().Intern({&frame, 1});
  }

  EntryId BlockedAt(const ObservedThread& thread, uint64_t stack) {
    SampleKey key{Stack(stack), thread.record};
    key.state = ThreadState::kBlocked;
    key.wait = 0;
    return accountant_.EntryOf(key);
  }

  // What the table holds, by stack (its number, or a pseudo-frame's name) and
  // state; entries without counts are left out.
  std::map<std::pair<std::string, ThreadState>, Counts> Table() {
    std::map<std::pair<std::string, ThreadState>, Counts> result;
    const stacks::StackTable& table = recording_->table();
    for (uint32_t i = 0; i < table.entry_count(); ++i) {
      SampleKey key;
      Counts counts;
      if (!table.Read(EntryId{i}, key, counts) || counts == Counts()) continue;
      const Frame frame = table.Frames(key.stack)[0];
      result[{frame.is_pseudo() ? stacks::PseudoFrameName(frame.pseudo())
                                : std::to_string(frame.offset()),
              key.state}] += counts;
    }
    return result;
  }

  Counts Total() {
    Counts total;
    for (const auto& [key, counts] : Table()) total += counts;
    return total;
  }

  std::unique_ptr<stacks::Recording> recording_ =
      stacks::Recording::Allocate(stacks::Recording::kMinBytes).value();
  Accountant accountant_{*recording_};
};

auto Is(const std::string& stack, ThreadState state, const Counts& counts) {
  return Pair(Pair(stack, state), counts);
}
constexpr ThreadState kRunning = ThreadState::kRunning;
constexpr ThreadState kRunnable = ThreadState::kRunnable;
constexpr ThreadState kBlocked = ThreadState::kBlocked;

// --- half to either end ------------------------------------------------------

TEST_F(AccountantTest, AnIntervalIsSharedByThePlacesAtItsEnds) {
  ObservedThread thread = NewThread(0);
  accountant_.MoveTo(thread, BlockedAt(thread, 1), 100);
  accountant_.MoveTo(thread, BlockedAt(thread, 2), 200);
  EXPECT_THAT(Table(), UnorderedElementsAre(Is("1", kBlocked, {1, 0, 100}),
                                            Is("2", kBlocked, {1, 0, 50})));
}

TEST_F(AccountantTest, FirstLookCountsFromTheTickBefore) {
  ObservedThread thread = NewThread(1000);
  accountant_.MoveTo(thread, BlockedAt(thread, 1), 1100);
  EXPECT_THAT(Table(), UnorderedElementsAre(Is("1", kBlocked, {1, 0, 50})));
}

TEST_F(AccountantTest, AnUnmovedThreadGetsTheWholeInterval) {
  ObservedThread thread = NewThread(0);
  accountant_.MoveTo(thread, BlockedAt(thread, 1), 100);
  accountant_.Stay(thread, 200);
  accountant_.Stay(thread, 310);
  EXPECT_THAT(Table(),
              UnorderedElementsAre(Is("1", kBlocked, {3, 0, 50 + 100 + 110})));
}

TEST_F(AccountantTest, OddIntervalsLoseNothing) {
  ObservedThread thread = NewThread(0);
  accountant_.MoveTo(thread, BlockedAt(thread, 1), 1);
  accountant_.MoveTo(thread, BlockedAt(thread, 2), 4);
  accountant_.MoveTo(thread, BlockedAt(thread, 1), 11);
  // All but the first interval's first half, which was before the thread.
  EXPECT_EQ(Total().wall_ns, 11);
}

// A program that is in step with the sampler, now here, now there.
TEST_F(AccountantTest, PhaseLockedAlternationIsHalfAndHalf) {
  ObservedThread thread = NewThread(0);
  int64_t now = 0;
  for (int i = 0; i < 1000; ++i) {
    // Looks come late in one place and early in the other.
    now += i % 2 == 0 ? 16'000'000 : 4'000'000;
    accountant_.MoveTo(thread, BlockedAt(thread, 1 + i % 2), now);
  }
  const auto table = Table();
  EXPECT_NEAR(static_cast<double>(table.at({"1", kBlocked}).wall_ns) /
                  static_cast<double>(now),
              0.5, 0.002);
  EXPECT_NEAR(static_cast<double>(table.at({"2", kBlocked}).wall_ns) /
                  static_cast<double>(now),
              0.5, 0.002);
}

// --- running -----------------------------------------------------------------

TEST_F(AccountantTest, RunningTimeIsPendingUntilTheAnswer) {
  ObservedThread thread = NewThread(0);
  accountant_.FoundRunning(thread, 100);
  accountant_.FoundRunning(thread, 200);
  thread.pending_cpu_ns = 30;
  EXPECT_THAT(Table(), IsEmpty());
  const stacks::ThreadRecord& record = recording_->thread(thread.record);
  EXPECT_EQ(record.pending_samples.get(), 2);
  EXPECT_EQ(record.pending_wall_ns.get(), 150);
  accountant_.Resolve(thread, Stack(7), 0);
  EXPECT_THAT(Table(), UnorderedElementsAre(Is("7", kRunning, {2, 30, 150})));
  EXPECT_EQ(record.pending_samples.get(), 0);
  EXPECT_EQ(record.pending_cpu_ns.get(), 0);
  EXPECT_EQ(record.pending_wall_ns.get(), 0);
}

TEST_F(AccountantTest, TheTimeAfterAnAnswerIsItsOwnToo) {
  ObservedThread thread = NewThread(0);
  accountant_.FoundRunning(thread, 100);
  accountant_.Resolve(thread, Stack(7), 0);
  accountant_.MoveTo(thread, BlockedAt(thread, 1), 200);
  EXPECT_THAT(Table(), UnorderedElementsAre(Is("7", kRunning, {1, 0, 100}),
                                            Is("1", kBlocked, {1, 0, 50})));
}

TEST_F(AccountantTest, AnswersCarryTheirLabelsThroughout) {
  constexpr uint32_t kLabels = 5;
  ObservedThread thread = NewThread(0);
  for (int64_t now = 100; now <= 1000; now += 100) {
    accountant_.FoundRunning(thread, now);
    accountant_.Resolve(thread, Stack(7), kLabels);
  }
  const stacks::StackTable& table = recording_->table();
  int64_t labelled = 0;
  for (uint32_t i = 0; i < table.entry_count(); ++i) {
    SampleKey key;
    Counts counts;
    if (table.Read(EntryId{i}, key, counts) && key.labels == kLabels) {
      labelled += counts.wall_ns;
    }
  }
  EXPECT_EQ(labelled, 950);
  EXPECT_EQ(Total().wall_ns, 950) << "no part of it is without";
}

TEST_F(AccountantTest, WaitsForACpuAreApart) {
  ObservedThread thread = NewThread(0);
  accountant_.FoundRunning(thread, 100);
  accountant_.FoundRunning(thread, 200);
  thread.pending_cpu_ns = 40;
  thread.share = {1, 2};  // on a CPU a third of the time
  accountant_.Resolve(thread, Stack(7), 0);
  EXPECT_THAT(Table(), UnorderedElementsAre(Is("7", kRunning, {2, 40, 50}),
                                            Is("7", kRunnable, {0, 0, 100})));
}

TEST(RunShareTest, WithoutKnowledgeAllIsRunning) {
  EXPECT_EQ(RunShare().Running(1000), 1000);
  EXPECT_EQ((RunShare{3, 1}.Running(1000)), 750);
  EXPECT_EQ((RunShare{0, 5}.Running(1000)), 0);
  EXPECT_EQ((RunShare{5, 0}.Running(1000)), 1000);
  EXPECT_EQ((RunShare{int64_t{1} << 61, int64_t{1} << 61}.Running(1000)), 500)
      << "no overflow in sight";
}

TEST_F(AccountantTest, ASleeperThatWasAskedIsBlockedThere) {
  ObservedThread thread = NewThread(0);
  accountant_.FoundRunning(thread, 100);
  thread.pending_cpu_ns = 3;
  accountant_.ResolveBlocked(thread, BlockedAt(thread, 4));
  accountant_.Stay(thread, 200);
  EXPECT_THAT(Table(),
              UnorderedElementsAre(Is("4", kBlocked, {2, 3, 50 + 100})));
}

// --- losses ------------------------------------------------------------------

TEST_F(AccountantTest, WhatWillNeverBeKnownIsWrittenOff) {
  ObservedThread thread = NewThread(0);
  accountant_.FoundRunning(thread, 100);
  thread.pending_cpu_ns = 20;
  accountant_.WriteOff(thread, PseudoFrame::kMasked);
  EXPECT_THAT(Table(),
              UnorderedElementsAre(Is("[masked]", kRunning, {1, 20, 50})));
  accountant_.WriteOff(thread, PseudoFrame::kMasked);
  EXPECT_EQ(Total(), (Counts{1, 20, 50})) << "nothing is left to write off";
}

TEST_F(AccountantTest, ALastLookStandsUntilTheEnd) {
  ObservedThread blocked = NewThread(0);
  accountant_.MoveTo(blocked, BlockedAt(blocked, 1), 100);
  accountant_.End(blocked, 200);
  EXPECT_THAT(Table(), UnorderedElementsAre(Is("1", kBlocked, {1, 0, 100})));
}

TEST_F(AccountantTest, TheEndOfARunningThreadIsNotSampled) {
  ObservedThread running = NewThread(0);
  accountant_.FoundRunning(running, 100);
  running.pending_cpu_ns = 10;
  accountant_.End(running, 200);
  EXPECT_THAT(Table(), UnorderedElementsAre(
                           Is("[not sampled]", kRunning, {1, 10, 100})));
}

TEST_F(AccountantTest, AThreadThatWasNeverLookedAtLeavesNothing) {
  ObservedThread thread = NewThread(0);
  accountant_.End(thread, 100);
  EXPECT_THAT(Table(), IsEmpty());
}

TEST_F(AccountantTest, ExitedThreadsHaveCpuTimeAlone) {
  accountant_.AddExited(123);
  accountant_.AddExited(7);
  EXPECT_THAT(Table(),
              UnorderedElementsAre(Is("[exited]", kRunning, {0, 130, 0})));
}

TEST_F(AccountantTest, WithoutRoomTimeGoesUnderOverflowAndIsCounted) {
  ObservedThread thread = NewThread(0);
  // Stacks that fill the table.
  uint64_t n = 1000;
  SampleKey key{Stack(n), thread.record};
  while (key.stack != stacks::kNoStack &&
         recording_->table().Find(key) != stacks::kNoRoom) {
    key.stack = Stack(++n);
  }
  key.stack = Stack(1000);
  while (recording_->table().Find(key) != stacks::kNoRoom) ++key.labels;
  EXPECT_EQ(recording_->tallies().lost_overflow.get(), 0);
  int64_t now = 0;
  for (uint64_t i = 0; i < 10; ++i) {
    now += 100;
    accountant_.MoveTo(thread, BlockedAt(thread, n + 100 + i), now);
  }
  accountant_.FoundRunning(thread, now += 100);
  accountant_.Resolve(thread, Stack(n + 500), 0);
  accountant_.AddExited(5);
  EXPECT_GT(recording_->tallies().lost_overflow.get(), 10);
  EXPECT_EQ(Total(), (Counts{11, 5, 1050})) << "the total is right";
  for (const auto& [stack, counts] : Table()) {
    EXPECT_THAT(stack.first, ::testing::AnyOf("[overflow]", "[exited]"));
  }
  SampleKey of_nobody;
  Counts shared;
  ASSERT_TRUE(recording_->table().Read(stacks::EntryId{0}, of_nobody, shared));
  EXPECT_EQ(of_nobody.thread, stacks::kNoThread);
  EXPECT_GT(shared.wall_ns, 0) << "not under the first thread's name";
}

TEST_F(AccountantTest, AfterClearingPseudoStacksAreThereAgain) {
  recording_->Clear();
  accountant_.Prepare();
  ObservedThread thread = NewThread(0);
  accountant_.FoundRunning(thread, 100);
  accountant_.WriteOff(thread, PseudoFrame::kUnseen);
  EXPECT_THAT(Table(),
              UnorderedElementsAre(Is("[unseen]", kRunning, {1, 0, 50})));
}

}  // namespace
}  // namespace wallprof::capture
