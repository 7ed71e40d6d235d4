// A day in a second: how slices coarsen, and that nothing but detail is lost.
#include "profiler/record/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "profiler/record/window.h"
#include "tests/record/simulated_program.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::record {
namespace {

using stacks::Counts;

constexpr int64_t kSlicesInADay = 24 * 360;

absl::Time WallTime(int64_t ns) { return absl::FromUnixNanos(ns); }

// Any counts that a sample can have.
Counts RandomCounts(std::mt19937& random) {
  Counts counts;
  counts.samples = random() % 1000;
  counts.wall_ns = counts.samples * 10'101'010 + random() % 5'000'000;
  if (random() % 4 == 0) counts.cpu_ns = random() % (counts.wall_ns + 1);
  return counts;
}

TEST(SliceTest, SamplesAreRightToAMicrosecondAndTotalsToTheNanosecond) {
  std::mt19937 random(1);
  for (const size_t count : {0, 1, 2, 500}) {
    std::vector<SliceSample> samples;
    Counts total;
    for (uint32_t i = 0; i < count; ++i) {
      samples.push_back({i * 3 + 1, RandomCounts(random)});
      total += samples.back().counts;
    }
    Slice slice;
    SetSamples(samples, slice);
    EXPECT_EQ(slice.total, total);
    const std::vector<SliceSample> back = Samples(slice);
    ASSERT_EQ(back.size(), samples.size());
    Counts sum;
    for (size_t i = 0; i < count; ++i) {
      sum += back[i].counts;
      EXPECT_EQ(back[i].key, samples[i].key);
      EXPECT_EQ(back[i].counts.samples, samples[i].counts.samples);
      EXPECT_LE(std::abs(back[i].counts.wall_ns - samples[i].counts.wall_ns),
                1000);
      EXPECT_LE(std::abs(back[i].counts.cpu_ns - samples[i].counts.cpu_ns),
                1000);
    }
    EXPECT_EQ(sum, total);
    EXPECT_LE(slice.samples.size(), count * 9);
  }
}

// Four threads, each of which is in two of ten places of its own in every
// slice.
class Day {
 public:
  explicit Day(size_t memory_bytes)
      : recorder({memory_bytes, "", 0}, nullptr, program.clocks()) {}

  void Pass(int64_t slices) {
    for (int64_t i = 0; i < slices; ++i) {
      for (uint32_t thread = 0; thread < 4; ++thread) {
        for (uint32_t place = 0; place < 2; ++place) {
          program.Add(thread * 10 + (random() + 3 * place) % 10, thread,
                      RandomCounts(random));
        }
      }
      fine.push_back(program.EndSlice(recorder));
      EXPECT_LE(recorder.memory_bytes(), kMemoryBytes);
    }
  }

  // What was measured from `from` on, both in realtime.
  Counts FineTotal(absl::Time from, absl::Time to) const {
    Counts total;
    for (const stacks::Measurement& slice : fine) {
      const absl::Time start =
          WallTime(kStartWallNs + slice.start_ns - kSecondNs);
      if (start >= from && start < to) total += TotalOf(slice);
    }
    return total;
  }

  static constexpr int64_t kMemoryBytes = 16 << 20;
  std::mt19937 random{2};
  SimulatedProgram program;
  Recorder recorder;
  std::vector<stacks::Measurement> fine;
};

TEST(TimelineTest, SlicesCoarsenWithAgeAndSumsStay) {
  Day day(Day::kMemoryBytes);
  day.Pass(kSlicesInADay + 100);
  const Recorded recorded = day.recorder.Describe();
  const absl::Time end = WallTime(day.program.now.wall_ns);
  EXPECT_EQ(recorded.slices.back().end, end);
  EXPECT_LE(recorded.slices.front().start, end - absl::Hours(23.8));
  EXPECT_GE(recorded.slices.front().start, end - absl::Hours(24.2));
  Counts coarse;
  for (size_t i = 0; i < recorded.slices.size(); ++i) {
    const RecordedSlice& slice = recorded.slices[i];
    const absl::Duration age = end - slice.end;
    const absl::Duration longest = age < absl::Hours(1)   ? absl::Seconds(10)
                                   : age < absl::Hours(6) ? absl::Minutes(1)
                                                          : absl::Minutes(10);
    EXPECT_LE(slice.duration, longest) << "aged " << age;
    EXPECT_EQ(slice.duration, slice.end - slice.start);
    if (i > 0) {
      EXPECT_EQ(slice.start, recorded.slices[i - 1].end);
    }
    coarse.wall_ns += absl::ToInt64Nanoseconds(slice.wall);
    coarse.cpu_ns += absl::ToInt64Nanoseconds(slice.cpu);
    coarse.samples += day.FineTotal(slice.start, slice.end).samples;
  }
  // 360 + 300 + 108, and those on the way from one grid to the next.
  EXPECT_NEAR(static_cast<double>(recorded.slices.size()), 768, 20);
  const Counts fine = day.FineTotal(recorded.slices.front().start, end);
  EXPECT_EQ(coarse, fine);
  const absl::StatusOr<Profile> whole =
      day.recorder.Past({WallTime(0), absl::InfiniteFuture()});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(CheckValid(*whole), absl::OkStatus());
  EXPECT_EQ(TotalOf(*whole), fine);
  EXPECT_EQ(whole->time, recorded.slices.front().start);
  EXPECT_EQ(whole->duration, end - whole->time);
}

TEST(TimelineTest, AdjoiningWindowsAddUpToTheWhole) {
  Day day(Day::kMemoryBytes);
  day.Pass(1000);
  const absl::Time end = WallTime(day.program.now.wall_ns);
  // Neither of the grid.
  const absl::Time from = end - absl::Seconds(7003),
                   mid = end - absl::Seconds(1234.5);
  const auto first = day.recorder.Past({from, mid});
  const auto second = day.recorder.Past({mid, end});
  const auto both = day.recorder.Past({from, end});
  ASSERT_TRUE(first.ok() && second.ok() && both.ok());
  EXPECT_EQ(first->duration + second->duration, both->duration);
  EXPECT_EQ(second->time, first->time + first->duration);
  const absl::StatusOr<Profile> sum = Merge({*first, *second});
  ASSERT_TRUE(sum.ok());
  const absl::StatusOr<Profile> difference = Diff(*sum, *both);
  ASSERT_TRUE(difference.ok());
  EXPECT_TRUE(difference->samples.empty()) << EncodeFolded(*difference);
  EXPECT_EQ(TotalOf(*both), day.FineTotal(both->time, end));
}

TEST(TimelineTest, AWindowWithinOneSliceIsThatSlice) {
  Day day(Day::kMemoryBytes);
  day.Pass(3);
  const absl::Time second = WallTime(kStartWallNs + 10 * kSecondNs);
  const auto profile =
      day.recorder.Past({second + absl::Seconds(1), second + absl::Seconds(2)});
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->time, second);
  EXPECT_EQ(profile->duration, absl::Seconds(10));
  EXPECT_THAT(
      profile->comments,
      ::testing::Contains("wallprof: recorded, in 1 slices of 10s at most"));
}

TEST(TimelineTest, WhatIsNotThereIsSaid) {
  Day day(Day::kMemoryBytes);
  EXPECT_EQ(day.recorder.Past({}).status().code(), absl::StatusCode::kNotFound);
  day.Pass(2);
  const absl::Time before = WallTime(kStartWallNs - 60 * kSecondNs);
  const auto profile = day.recorder.Past({before, before + absl::Seconds(30)});
  EXPECT_EQ(profile.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(profile.status().message(),
            "Nothing is recorded from 2026-01-02T03:03:05Z to "
            "2026-01-02T03:03:35Z; what there is is from 2026-01-02T03:04:05Z "
            "to 2026-01-02T03:04:25Z.");
}

// A program with too much in every slice for its recorder's memory.
class ShortOfMemory {
 public:
  // `new_stacks` of the 125 samples of a slice were never there before.
  void Pass(uint32_t slices, uint32_t new_stacks) {
    for (uint32_t slice = 0; slice < slices; ++slice) {
      if (slice % 20 == 0) program.recording().Clear();
      for (uint32_t i = 0; i < 125; ++i) {
        program.Add(i < new_stacks ? stack++ : i, i % 10, RandomCounts(random));
      }
      fine.push_back(program.EndSlice(recorder));
      ASSERT_LE(recorder.memory_bytes(), kBytes);
      const RecordedSlice last = recorder.Describe().slices.back();
      ASSERT_EQ(last.end, WallTime(program.now.wall_ns));
    }
  }

  void ExpectSumsRight() {
    const auto all = recorder.Past({});
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(CheckValid(*all), absl::OkStatus());
    Counts total;
    for (const stacks::Measurement& slice : fine) {
      if (WallTime(kStartWallNs + slice.start_ns - kSecondNs) >= all->time) {
        total += TotalOf(slice);
      }
    }
    EXPECT_EQ(TotalOf(*all), total);
  }

  static constexpr int64_t kBytes = 1 << 18;
  SimulatedProgram program;
  Recorder recorder{{kBytes, "", 0}, nullptr, program.clocks()};
  std::mt19937 random{3};
  uint32_t stack = 1000;
  std::vector<stacks::Measurement> fine;
};

TEST(TimelineTest, WhereSlicesTakeTooMuchMemoryOldOnesGetCoarser) {
  ShortOfMemory subject;
  subject.Pass(355, 0);
  const Recorded recorded = subject.recorder.Describe();
  EXPECT_EQ(recorded.slices.front().start, WallTime(kStartWallNs));
  EXPECT_EQ(recorded.slices.front().duration, absl::Minutes(1))
      << "though not an hour old";
  EXPECT_EQ(recorded.slices.back().duration, absl::Seconds(10));
  subject.ExpectSumsRight();
}

TEST(TimelineTest, WhereStacksTakeTooMuchMemoryOldSlicesGo) {
  ShortOfMemory subject;
  subject.Pass(300, 62);
  const Recorded recorded = subject.recorder.Describe();
  EXPECT_GT(recorded.slices.front().start, WallTime(kStartWallNs));
  EXPECT_GT(recorded.slices.size(), 10u);
  subject.ExpectSumsRight();
}

}  // namespace
}  // namespace wallprof::record
