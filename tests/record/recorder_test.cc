// What a recorder makes of slices: stacks that the table has forgotten, names,
// and what happened meanwhile.
#include "profiler/record/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "profiler/stacks/measured_profile.h"
#include "profiler/threads/syscall_name.h"
#include "tests/record/simulated_program.h"
#include "wallprof/formats.h"

namespace wallprof::record {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class RecorderTest : public ::testing::Test {
 protected:
  // "kind detail" of each.
  std::vector<std::string> Events() const {
    std::vector<std::string> texts;
    for (const RecordedEvent& event : recorder_.Describe().events) {
      texts.push_back(event.kind + " " + event.detail);
    }
    return texts;
  }

  void PassSlice(const std::vector<uint32_t>& threads) {
    for (const uint32_t thread : threads) {
      program_.Add(1, thread, {1000, 0, 10 * kSecondNs});
    }
    program_.EndSlice(recorder_);
  }

  SimulatedProgram program_;
  Recorder recorder_{{16 << 20, "", 0},
                     [](uint32_t set) {
                       return LabelTexts{{"set", std::to_string(set)}};
                     },
                     program_.clocks()};
};

TEST_F(RecorderTest, ASliceIsTheProfileThatWasMeasured) {
  for (uint32_t i = 0; i < 50; ++i) {
    program_.Add(i, i % 7, {i + 1, i * 1000, i * 1'000'000 + 5000}, i % 3);
  }
  const stacks::Measurement measured = program_.EndSlice(recorder_);
  const Profile expected = stacks::MeasuredProfile(
      program_.recording(), measured, threads::SyscallName,
      [](const stacks::SampleKey& key) {
        std::vector<Label> labels;
        if (key.labels != 0) {
          labels.push_back({"set", std::to_string(key.labels)});
        }
        return labels;
      });
  const absl::StatusOr<Profile> recorded = recorder_.Past({});
  ASSERT_TRUE(recorded.ok());
  EXPECT_EQ(recorded->duration, expected.duration);
  EXPECT_EQ(recorded->period, expected.period);
  FoldedOptions with_threads;
  with_threads.threads = true;
  EXPECT_EQ(EncodeFolded(*recorded, with_threads),
            EncodeFolded(expected, with_threads));
  ASSERT_THAT(recorded->mappings, SizeIs(expected.mappings.size()));
  for (size_t i = 0; i < expected.mappings.size(); ++i) {
    EXPECT_EQ(recorded->mappings[i].filename, expected.mappings[i].filename);
    EXPECT_EQ(recorded->mappings[i].build_id, expected.mappings[i].build_id);
  }
  const absl::StatusOr<Profile> difference = Diff(*recorded, expected);
  ASSERT_TRUE(difference.ok());
  EXPECT_THAT(difference->samples, IsEmpty()) << "labels too";
}

TEST_F(RecorderTest, WaitsForLocksAreThoseThatWereMeasured) {
  for (int slice = 0; slice < 3; ++slice) {
    program_.Add(1, 0, {1, 500, 1000});
    for (uint32_t i = 0; i < 20; ++i) {
      program_.AddWait(i, 30 + i % 3, i % 7, {i + 1, 0, i * 1'000'000 + 5000});
    }
  }
  const stacks::Measurement measured = program_.EndSlice(recorder_);
  const Profile expected = stacks::LockWaitProfile(
      program_.recording(), measured, threads::SyscallName,
      [](const stacks::SampleKey&) { return std::vector<Label>(); });
  const absl::StatusOr<Profile> recorded =
      recorder_.Past({}, {View::kBlockedBy});
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  ASSERT_EQ(CheckValid(*recorded), absl::OkStatus());
  EXPECT_EQ(recorded->default_sample_type, "lockwait");
  EXPECT_THAT(EncodeFolded(*recorded), HasSubstr(";[held by];"));
  const absl::StatusOr<Profile> difference = Diff(*recorded, expected);
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_THAT(difference->samples, IsEmpty()) << "labels and holders too";
  // They are counted a second time, and that shows in no total.
  EXPECT_EQ(TotalOf(*recorder_.Past({})), TotalOf(measured));
  EXPECT_EQ(recorder_.Describe().slices[0].wall,
            absl::Nanoseconds(TotalOf(measured).wall_ns));
}

// What a slice's labels say, and the sums of each.
std::map<std::pair<int64_t, int64_t>, int64_t> WallBySlice(
    const Profile& profile) {
  std::map<std::pair<int64_t, int64_t>, int64_t> sums;
  for (const Sample& sample : profile.samples) {
    std::pair<int64_t, int64_t> slice = {-1, -1};
    for (const Label& label : sample.labels) {
      if (label.key == "slice_start") slice.first = label.number;
      if (label.key == "slice_length") slice.second = label.number;
    }
    sums[slice] += sample.values.back();
  }
  return sums;
}

TEST_F(RecorderTest, SlicesApartSayWhenEachWas) {
  constexpr int64_t kSlice = 10'000'000'000;
  for (int slice = 0; slice < 3; ++slice) {
    program_.Add(1, 0, {1, 0, 1000 + slice});
    program_.AddWait(2, 3, 1, {1, 0, 7000});
    program_.EndSlice(recorder_, kSlice);
  }
  const Profile apart = recorder_.Past({}, {View::kWall, true}).value();
  EXPECT_EQ(CheckValid(apart), absl::OkStatus());
  EXPECT_THAT(WallBySlice(apart),
              ElementsAre(Pair(std::pair(int64_t{0}, kSlice), 8000),
                          Pair(std::pair(kSlice, kSlice), 8001),
                          Pair(std::pair(2 * kSlice, kSlice), 8002)));
  const Profile waits = recorder_.Past({}, {View::kBlockedBy, true}).value();
  EXPECT_THAT(WallBySlice(waits), SizeIs(3));
  const Profile whole = recorder_.Past({}).value();
  EXPECT_EQ(EncodeFolded(apart), EncodeFolded(whole));
  EXPECT_THAT(WallBySlice(whole), SizeIs(1)) << "without labels";
}

TEST_F(RecorderTest, SlicesApartAreFewAndSoAreTheirStacks) {
  std::vector<uint32_t> threads;
  for (int slice = 0; slice < 300; ++slice) {
    for (uint32_t i = 0; i < 400; ++i) {
      program_.Add(i, i % 5, {1, 10, 1000 + i});
    }
    program_.EndSlice(recorder_);
  }
  const Profile whole = recorder_.Past({}).value();
  const Profile apart = recorder_.Past({}, {View::kWall, true}).value();
  EXPECT_EQ(CheckValid(apart), absl::OkStatus());
  EXPECT_EQ(TotalOf(apart), TotalOf(whole)) << "nothing is lost";
  const auto slices = WallBySlice(apart);
  EXPECT_LE(slices.size(), 120);
  EXPECT_GE(slices.size(), 60);
  EXPECT_LE(apart.samples.size(), 20'000 + slices.size() * 5);
  EXPECT_THAT(EncodeFolded(apart), HasSubstr("[less heavy stacks] "));
}

TEST_F(RecorderTest, StacksOutliveTheTable) {
  program_.Add(1, 0, {1, 0, 1000});
  program_.EndSlice(recorder_);
  const std::string before = EncodeFolded(recorder_.Past({}).value());
  // Other stacks and threads get the numbers.
  program_.recording().Clear();
  for (uint32_t i = 0; i < 100; ++i) program_.Add(1000 + i, i, {1, 0, 1});
  program_.EndSlice(recorder_);
  const absl::Time start = absl::FromUnixNanos(kStartWallNs);
  EXPECT_EQ(
      EncodeFolded(recorder_.Past({start, start + absl::Seconds(10)}).value()),
      before);
}

TEST_F(RecorderTest, ThreadsStartAndEnd) {
  PassSlice({0, 1});
  EXPECT_THAT(Events(), IsEmpty()) << "what was there at first did not start";
  PassSlice({0, 1, 2});
  PassSlice({0, 2});
  EXPECT_THAT(Events(), ElementsAre("thread started 102 worker2",
                                    "thread ended 101 worker1"));
  std::vector<uint32_t> many;
  for (uint32_t i = 0; i < 100; ++i) many.push_back(i);
  PassSlice(many);
  EXPECT_THAT(Events(), Contains("thread started 98 of them"));
  EXPECT_EQ(recorder_.Describe().slices.back().threads, 100);
}

TEST_F(RecorderTest, SleepOfTheMachineAndSetClocksAreTold) {
  PassSlice({0});
  program_.now.boottime_ns += 3600 * kSecondNs;
  program_.now.wall_ns += 3600 * kSecondNs;
  PassSlice({0});
  program_.now.wall_ns -= 7200 * kSecondNs;
  PassSlice({0});
  program_.now.wall_ns += 1000;  // a time server's correction
  PassSlice({0});
  EXPECT_THAT(Events(), ElementsAre("suspended for 1h", "clock set by -2h"));
  const std::vector<RecordedSlice> slices = recorder_.Describe().slices;
  EXPECT_EQ(slices[1].start, slices[0].end);
  EXPECT_EQ(slices[1].end - slices[1].start, absl::Seconds(3610));
  EXPECT_EQ(slices[1].duration, absl::Seconds(10)) << "awake";
  EXPECT_EQ(slices[2].end - slices[2].start, absl::Seconds(10));
  EXPECT_EQ(slices[2].end, slices[1].end - absl::Seconds(7190));
  const auto profile = recorder_.Past({slices[1].start, slices[1].end});
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->duration, absl::Seconds(10));
  EXPECT_THAT(profile->comments, Contains(HasSubstr("Z suspended for 1h")));
}

TEST_F(RecorderTest, LossesAreToldWhenTheyBegin) {
  PassSlice({0});
  for (int i = 0; i < 2; ++i) {
    program_.losses.overflow = 5;
    PassSlice({0});
  }
  program_.losses.late_ns = 20 * kSecondNs;
  PassSlice({0});
  EXPECT_THAT(Events(), ElementsAre("loss overflow 5",
                                    "late 1000 ticks, late by 20s together"));
  const auto profile = recorder_.Past({});
  ASSERT_TRUE(profile.ok());
  EXPECT_THAT(profile->comments, Contains("wallprof: lost overflow 10"));
}

TEST_F(RecorderTest, WaitsForASlice) {
  EXPECT_FALSE(recorder_.AwaitUntil(1, absl::Milliseconds(1)));
  PassSlice({0});
  EXPECT_TRUE(
      recorder_.AwaitUntil(program_.now.monotonic_ns, absl::ZeroDuration()));
}

TEST(ParseTimeTest, TakesWhatPeopleWrite) {
  const absl::Time now = absl::FromUnixSeconds(1767323045);
  for (const auto& [text, time] :
       std::vector<std::pair<std::string, absl::Time>>{
           {"-10m", now - absl::Minutes(10)},
           {"-1.5h", now - absl::Hours(1.5)},
           {"-30s", now - absl::Seconds(30)},
           {"2026-01-02T03:04:05Z", now},
           {"2026-01-02T05:04:05.5+02:00", now + absl::Milliseconds(500)},
           {"1767323045", now},
           {"1767323045.5", now + absl::Milliseconds(500)},
           {"0", absl::UnixEpoch()}}) {
    const absl::StatusOr<absl::Time> parsed = ParseTime(text, now);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, time) << text;
  }
}

TEST(ParseTimeTest, RefusesTheRest) {
  for (const char* text :
       {"", "-", "10m", "-10", "-m", "--10m", "-10d", "-1e3s", "now", "1e9",
        "+5", "1 ", "nan", "inf", "infinite-future", "2026-01-02", "-5m5s",
        "1.2.3", "."}) {
    EXPECT_FALSE(ParseTime(text, absl::Now()).ok()) << text;
  }
}

}  // namespace
}  // namespace wallprof::record
