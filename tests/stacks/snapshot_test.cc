#include "profiler/stacks/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "tests/stacks/table_memory.h"

namespace wallprof::stacks {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// A recording whose ticks a test makes by hand.
class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() {
    for (int tid = 1; tid <= 3; ++tid) recording_->AddThread(tid, "thread");
    const Frame frame = Frame::Pseudo(PseudoFrame::kNotSampled);
    not_sampled_ = recording_->table().Intern({&frame, 1});
  }

  EntryId Entry(uint32_t stack, uint32_t thread,
                ThreadState state = ThreadState::kRunning) {
    SampleKey key;
    key.stack = recording_->table().Intern(StackOf(stack, 4));
    key.thread = thread;
    key.state = state;
    return recording_->table().Find(key);
  }

  void Add(EntryId entry, const Counts& counts) {
    recording_->table().Add(entry, counts);
  }

  void SetPending(uint32_t thread, const Counts& counts) {
    ThreadRecord& record = recording_->thread(thread);
    record.pending_samples.set(counts.samples);
    record.pending_cpu_ns.set(counts.cpu_ns);
    record.pending_wall_ns.set(counts.wall_ns);
  }

  // A tick in which `work` is done; then what a reader sees.
  template <typename Work>
  Snapshot Tick(int64_t now_ns, Work work) {
    recording_->BeginTick();
    work();
    recording_->EndTick(now_ns);
    return TakeSnapshot(*recording_);
  }

  Measurement Between(const Snapshot& start, const Snapshot& end) {
    return Difference(*recording_, start, end, not_sampled_);
  }

  // By thread and stack: the stack's number, or kPending.
  static constexpr uint32_t kPending = ~0u;
  std::map<std::pair<uint32_t, uint32_t>, Counts> ByStack(
      const Measurement& measurement) {
    std::map<std::pair<uint32_t, uint32_t>, Counts> result;
    for (const Measured& sample : measurement.samples) {
      const uint32_t stack =
          sample.key.stack == not_sampled_
              ? kPending
              : static_cast<uint32_t>(
                    recording_->table().Frames(sample.key.stack)[0].offset() /
                    1000);
      result[{sample.key.thread, stack}] += sample.counts;
    }
    return result;
  }

  static Counts Total(const Measurement& measurement) {
    Counts total;
    for (const Measured& sample : measurement.samples) total += sample.counts;
    return total;
  }

  std::unique_ptr<Recording> recording_ =
      Recording::Allocate(Recording::kMinBytes).value();
  StackId not_sampled_ = kNoStack;
};

auto Is(uint32_t thread, uint32_t stack, const Counts& counts) {
  return Pair(Pair(thread, stack), counts);
}

TEST_F(SnapshotTest, DifferenceIsWhatPassedBetween) {
  const EntryId a = Entry(1, 0), b = Entry(2, 0), c = Entry(3, 0);
  const Snapshot start = Tick(100, [&] {
    Add(a, {1, 10, 100});
    Add(b, {2, 20, 200});
  });
  const Snapshot end = Tick(200, [&] {
    Add(a, {3, 30, 300});
    Add(c, {4, 40, 400});
  });
  const Measurement measured = Between(start, end);
  EXPECT_THAT(ByStack(measured), UnorderedElementsAre(Is(0, 1, {3, 30, 300}),
                                                      Is(0, 3, {4, 40, 400})))
      << "what did not change is left out";
  EXPECT_EQ(measured.start_ns, 100);
  EXPECT_EQ(measured.end_ns, 200);
  EXPECT_EQ(measured.ticks, 1);
}

TEST_F(SnapshotTest, EntriesMadeBetweenCountInFull) {
  const EntryId old = Entry(1, 0);
  const Snapshot start = Tick(100, [&] { Add(old, {1, 1, 1}); });
  const Snapshot end = Tick(200, [&] {
    for (uint32_t stack = 100; stack < 200; ++stack) {
      Add(Entry(stack, 1), {1, 0, 7});
    }
    recording_->AddThread(99, "new");
    SetPending(3, {1, 2, 3});
  });
  EXPECT_GT(end.entries.size(), start.entries.size());
  EXPECT_GT(end.pending.size(), start.pending.size());
  const Measurement measured = Between(start, end);
  EXPECT_EQ(measured.samples.size(), 101u);
  EXPECT_EQ(Total(measured), (Counts{101, 2, 703}));
}

TEST_F(SnapshotTest, FromTheEmptyOneItIsEverything) {
  const Snapshot end = Tick(recording_->start_ns() + 50, [&] {
    Add(Entry(1, 0), {1, 10, 100});
  });
  const Measurement measured = Between(EmptySnapshot(*recording_), end);
  EXPECT_EQ(Total(measured), (Counts{1, 10, 100}));
  EXPECT_EQ(measured.end_ns - measured.start_ns, 50);
}

TEST_F(SnapshotTest, BeforeTheFirstTickNoTimeHasPassed) {
  const Measurement measured =
      Between(EmptySnapshot(*recording_), TakeSnapshot(*recording_));
  EXPECT_EQ(measured.end_ns, measured.start_ns);
  EXPECT_EQ(measured.ticks, 0);
  EXPECT_THAT(measured.samples, IsEmpty());
}

TEST_F(SnapshotTest, LossesAreThoseOfTheWindow) {
  Tallies& tallies = recording_->tallies();
  const Snapshot start = Tick(1, [&] {
    tallies.late_ns.add(5);
    tallies.lost_truncated.add(100);
    tallies.lost_masked.add(7);
  });
  const Snapshot end = Tick(2, [&] {
    tallies.late_ns.add(10);
    tallies.lost_truncated.add(1);
    tallies.lost_overflow.add(2);
    tallies.lost_small_stack.add(3);
    tallies.lost_exited.add(4);
    tallies.lost_late.add(5);
    tallies.lost_unseen.add(6);
  });
  const Losses losses = Between(start, end).losses;
  EXPECT_EQ(losses.late_ns, 10);
  EXPECT_EQ(losses.truncated, 1);
  EXPECT_EQ(losses.overflow, 2);
  EXPECT_EQ(losses.masked, 0);
  EXPECT_EQ(losses.small_stack, 3);
  EXPECT_EQ(losses.exited, 4);
  EXPECT_EQ(losses.late, 5);
  EXPECT_EQ(losses.unseen, 6);
}

// --- pending time ------------------------------------------------------------

TEST_F(SnapshotTest, TimePendingAtTheEndIsNotSampled) {
  const Snapshot start = Tick(1, [] {});
  const Snapshot end = Tick(2, [&] {
    Add(Entry(1, 0), {1, 10, 100});
    SetPending(1, {2, 20, 200});
  });
  EXPECT_THAT(ByStack(Between(start, end)),
              UnorderedElementsAre(Is(0, 1, {1, 10, 100}),
                                   Is(1, kPending, {2, 20, 200})));
}

TEST_F(SnapshotTest, TimePendingThroughoutIsNotOfTheWindow) {
  const Snapshot start = Tick(1, [&] { SetPending(1, {2, 20, 200}); });
  const Snapshot end = Tick(2, [&] { SetPending(1, {3, 30, 300}); });
  EXPECT_THAT(ByStack(Between(start, end)),
              UnorderedElementsAre(Is(1, kPending, {1, 10, 100})));
}

TEST_F(SnapshotTest, TimePendingAtTheStartIsTakenOffTheAnswer) {
  const EntryId running = Entry(1, 1);
  const Snapshot start = Tick(1, [&] { SetPending(1, {2, 20, 200}); });
  // The answer brings what was pending before the window, and 1, 10, 100 of
  // the window itself.
  const Snapshot end = Tick(2, [&] {
    SetPending(1, {});
    Add(running, {3, 30, 300});
  });
  EXPECT_THAT(ByStack(Between(start, end)),
              UnorderedElementsAre(Is(1, 1, {1, 10, 100})));
}

TEST_F(SnapshotTest, ReductionIsShared) {
  const Snapshot start = Tick(1, [&] { SetPending(1, {0, 0, 100}); });
  const Snapshot end = Tick(2, [&] {
    SetPending(1, {});
    Add(Entry(1, 1), {0, 0, 300});
    Add(Entry(2, 1, ThreadState::kRunnable), {0, 0, 100});
  });
  EXPECT_THAT(
      ByStack(Between(start, end)),
      UnorderedElementsAre(Is(1, 1, {0, 0, 225}), Is(1, 2, {0, 0, 75})));
}

TEST_F(SnapshotTest, ReductionTouchesNeitherOtherThreadsNorBlockedTime) {
  const Snapshot start = Tick(1, [&] { SetPending(1, {0, 0, 100}); });
  const Snapshot end = Tick(2, [&] {
    SetPending(1, {});
    Add(Entry(1, 0), {0, 0, 1000});
    Add(Entry(2, 1, ThreadState::kBlocked), {0, 0, 1000});
    Add(Entry(3, 1, ThreadState::kDisk), {0, 0, 1000});
    Add(Entry(4, 1), {0, 0, 150});
  });
  EXPECT_THAT(
      ByStack(Between(start, end)),
      UnorderedElementsAre(Is(0, 1, {0, 0, 1000}), Is(1, 2, {0, 0, 1000}),
                           Is(1, 3, {0, 0, 1000}), Is(1, 4, {0, 0, 50})));
}

TEST_F(SnapshotTest, ReductionNeverGoesBelowZero) {
  const Snapshot start = Tick(1, [&] { SetPending(1, {5, 500, 500}); });
  const Snapshot end = Tick(2, [&] {
    SetPending(1, {});
    Add(Entry(1, 1), {1, 1, 1});
  });
  for (const Measured& sample : Between(start, end).samples) {
    EXPECT_EQ(sample.counts, Counts()) << "reduced to nothing, not below";
  }
}

TEST_F(SnapshotTest, TotalsAreExactHoweverTheReductionRounds) {
  // Windows that meet must add up to the whole, column by column.
  const std::vector<EntryId> entries = {Entry(1, 1), Entry(2, 1), Entry(3, 1)};
  const Snapshot first = Tick(1, [&] { SetPending(1, {1, 333, 1001}); });
  const Snapshot second = Tick(2, [&] {
    SetPending(1, {2, 501, 777});
    Add(entries[0], {1, 334, 1003});
    Add(entries[1], {1, 333, 1'000'000'007});
    Add(entries[2], {1, 100, 17});
  });
  const Snapshot third = Tick(3, [&] {
    SetPending(1, {});
    Add(entries[1], {4, 999, 5003});
    Add(entries[2], {1, 3, 10});
  });
  Counts sum = Total(Between(EmptySnapshot(*recording_), first));
  sum += Total(Between(first, second));
  sum += Total(Between(second, third));
  EXPECT_EQ(sum, Total(Between(EmptySnapshot(*recording_), third)));
  EXPECT_EQ(sum, (Counts{8, 1769, 1'000'006'040}));
}

// --- reading beside the sampler ----------------------------------------------

TEST_F(SnapshotTest, IsTakenBetweenTicks) {
  const EntryId a = Entry(1, 0), b = Entry(2, 1);
  std::atomic<bool> done{false};
  std::thread sampler([&] {
    for (int64_t tick = 1; !done; ++tick) {
      recording_->BeginTick();
      Add(a, {1, 1, 1});
      SetPending(0, {tick, tick, tick});
      usleep(50);
      Add(b, {1, 1, 1});
      recording_->EndTick(tick);
      usleep(300);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const Snapshot snapshot = TakeSnapshot(*recording_);
    const Counts& in_a = snapshot.entries[static_cast<uint32_t>(a)];
    ASSERT_EQ(in_a, snapshot.entries[static_cast<uint32_t>(b)]);
    ASSERT_EQ(in_a, snapshot.pending[0]);
    ASSERT_EQ(in_a.samples, snapshot.ticks);
  }
  done = true;
  sampler.join();
}

TEST_F(SnapshotTest, OfATickWithoutEndIsTakenAllTheSame) {
  const EntryId entry = Entry(1, 0);
  recording_->BeginTick();
  Add(entry, {1, 2, 3});
  EXPECT_EQ(TakeSnapshot(*recording_).entries[static_cast<uint32_t>(entry)],
            (Counts{1, 2, 3}));
}

TEST_F(SnapshotTest, WaitsWithAHolderAreApart) {
  const EntryId entry = Entry(1, 0, ThreadState::kBlocked);
  SampleKey key;
  Counts counts;
  ASSERT_TRUE(recording_->table().Read(entry, key, counts));
  key.holder = recording_->table().Intern(StackOf(2, 4));
  const EntryId pair = recording_->table().Find(key);
  EXPECT_NE(pair, entry);
  const Snapshot start = Tick(1000, [] {});
  const Snapshot end = Tick(2000, [&] {
    Add(entry, {1, 0, 1000});
    Add(pair, {1, 0, 900});
  });
  const Measurement measurement = Between(start, end);
  ASSERT_EQ(measurement.samples.size(), 1u);
  EXPECT_EQ(measurement.samples[0].counts.wall_ns, 1000);
  ASSERT_EQ(measurement.lock_waits.size(), 1u);
  EXPECT_EQ(measurement.lock_waits[0].counts.wall_ns, 900);
}

TEST_F(SnapshotTest, WhatDiffersByItsTargetAloneIsAddedUp) {
  const EntryId plain = Entry(1, 0, ThreadState::kBlocked);
  const EntryId other = Entry(2, 0, ThreadState::kBlocked);
  const auto with_target = [&](EntryId entry, uint32_t target) {
    SampleKey key;
    Counts counts;
    EXPECT_TRUE(recording_->table().Read(entry, key, counts));
    key.target = recording_->table().Intern(StackOf(target, 5));
    return recording_->table().Find(key);
  };
  const EntryId one = with_target(plain, 10);
  const EntryId two = with_target(plain, 11);
  const EntryId of_other = with_target(other, 10);
  EXPECT_NE(one, two);
  const Snapshot start = Tick(1000, [] {});
  const Snapshot end = Tick(2000, [&] {
    Add(plain, {1, 0, 100});
    Add(one, {2, 0, 200});
    Add(two, {4, 0, 400});
    Add(of_other, {8, 0, 800});
  });
  Measurement measurement = Between(start, end);
  EXPECT_EQ(measurement.samples.size(), 4u) << "for who asks";
  ForgetTargets(measurement);
  ASSERT_EQ(measurement.samples.size(), 2u);
  EXPECT_EQ(measurement.samples[0].counts, (Counts{7, 0, 700}));
  EXPECT_EQ(measurement.samples[1].counts, (Counts{8, 0, 800}));
  for (const Measured& sample : measurement.samples) {
    EXPECT_EQ(sample.key.target, kNoStack);
  }
}

}  // namespace
}  // namespace wallprof::stacks
