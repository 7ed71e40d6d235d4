#include "profiler/stacks/measured_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "profiler/stacks/recording.h"

namespace wallprof::stacks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

constexpr ModuleId kProgram = 1, kLibrary = 2;

class MeasuredProfileTest : public ::testing::Test {
 protected:
  MeasuredProfileTest() {
    AddModule(0x400000, "/bin/demo");
    AddModule(0x7f0000000000, "/lib/libdemo.so");
    recording_->AddThread(42, "worker");
    measurement_.start_ns = recording_->start_ns() + 1'000'000'000;
    measurement_.end_ns = measurement_.start_ns + 2'000'000'000;
    measurement_.ticks = 200;
  }

  void AddModule(uint64_t start, std::string_view path) {
    ModuleRecord module;
    module.start = start;
    module.limit = start + 0x10000;
    module.file_offset = 0x1000;
    module.build_id_size = 2;
    module.build_id[0] = 0xca;
    module.build_id[1] = 0xfe;
    module.path_size =
        static_cast<uint16_t>(path.copy(module.path, path.size()));
    recording_->AddModule(module);
  }

  Measured& AddSample(const std::vector<Frame>& frames) {
    Measured sample;
    sample.key.stack = recording_->table().Intern(frames);
    sample.key.thread = 0;
    sample.counts = {1, 10, 100};
    return measurement_.samples.emplace_back(sample);
  }

  Profile Make() const {
    Profile profile = MeasuredProfile(
        *recording_, measurement_,
        [](int number) { return "call" + std::to_string(number); },
        [](const SampleKey& key) {
          return key.labels == 0 ? std::vector<Label>()
                                 : std::vector<Label>{{"endpoint", "/search"}};
        });
    EXPECT_EQ(CheckValid(profile), absl::OkStatus());
    return profile;
  }

  std::unique_ptr<Recording> recording_ =
      Recording::Allocate(Recording::kMinBytes).value();
  Measurement measurement_;
};

TEST_F(MeasuredProfileTest, IsAWallProfile) {
  const Profile profile = Make();
  EXPECT_THAT(profile.sample_types,
              ElementsAre(ValueType{"samples", "count"},
                          ValueType{"cpu", "nanoseconds"},
                          ValueType{"wall", "nanoseconds"}));
  EXPECT_EQ(profile.default_sample_type, "wall");
  EXPECT_EQ(profile.period_type, (ValueType{"wall", "nanoseconds"}));
  EXPECT_EQ(profile.duration, absl::Seconds(2));
  EXPECT_EQ(profile.time, absl::FromUnixNanos(recording_->start_wall_ns()) +
                              absl::Seconds(1));
}

TEST_F(MeasuredProfileTest, PeriodIsWhatWasAchieved) {
  EXPECT_EQ(Make().period, 10'000'000);
  measurement_.ticks = 100;
  EXPECT_EQ(Make().period, 20'000'000);
  measurement_.ticks = 0;
  EXPECT_EQ(Make().period, 2'000'000'000) << "no tick, no division by it";
}

TEST_F(MeasuredProfileTest, ModulesAreMappings) {
  const Profile profile = Make();
  ASSERT_THAT(profile.mappings, SizeIs(2));
  EXPECT_EQ(profile.mappings[0].filename, "/bin/demo");
  EXPECT_EQ(profile.mappings[0].start, 0x400000u);
  EXPECT_EQ(profile.mappings[0].limit, 0x410000u);
  EXPECT_EQ(profile.mappings[0].file_offset, 0x1000u);
  EXPECT_EQ(profile.mappings[0].build_id, "cafe");
  EXPECT_EQ(profile.mappings[1].filename, "/lib/libdemo.so");
}

TEST_F(MeasuredProfileTest, FramesOfCodeAreLocationsWithoutLines) {
  AddSample({Frame::Code(kLibrary, 0x123), Frame::Code(kProgram, 0x45)});
  AddSample({Frame::Code(kProgram, 0x45)});
  const Profile profile = Make();
  ASSERT_THAT(profile.locations, SizeIs(2)) << "one for each distinct frame";
  EXPECT_EQ(profile.locations[0].address, 0x7f0000000123u);
  EXPECT_EQ(profile.locations[0].mapping_id, 2u);
  EXPECT_THAT(profile.locations[0].lines, IsEmpty());
  EXPECT_EQ(profile.locations[1].address, 0x400045u);
  EXPECT_EQ(profile.locations[1].mapping_id, 1u);
  EXPECT_THAT(profile.samples[0].location_ids, ElementsAre(1, 2))
      << "leaf first";
  EXPECT_THAT(profile.samples[1].location_ids, ElementsAre(2));
}

TEST_F(MeasuredProfileTest, CodeOfNoModuleHasItsAddressAlone) {
  AddSample({Frame::Code(kNoModule, 0xabcdef)});
  const Profile profile = Make();
  ASSERT_THAT(profile.locations, SizeIs(1));
  EXPECT_EQ(profile.locations[0].mapping_id, 0u);
  EXPECT_EQ(profile.locations[0].address, 0xabcdefu);
}

TEST_F(MeasuredProfileTest, PseudoFramesAreNamed) {
  AddSample(
      {Frame::Code(kProgram, 0x45), Frame::Pseudo(PseudoFrame::kTruncated)});
  AddSample({Frame::Pseudo(PseudoFrame::kMasked)});
  AddSample({Frame::Pseudo(PseudoFrame::kTruncated)});
  const Profile profile = Make();
  ASSERT_THAT(profile.locations, SizeIs(3));
  ASSERT_THAT(profile.functions, SizeIs(2)) << "one a name";
  EXPECT_EQ(profile.functions[0].name, "[truncated]");
  EXPECT_EQ(profile.functions[1].name, "[masked]");
  EXPECT_EQ(profile.locations[1].address, 0u);
  EXPECT_EQ(profile.locations[1].mapping_id, 0u);
  EXPECT_THAT(profile.locations[1].lines, SizeIs(1));
}

TEST_F(MeasuredProfileTest, SamplesCarryThreadStateAndValues) {
  AddSample({Frame::Code(kProgram, 0x45)});
  const Profile profile = Make();
  ASSERT_THAT(profile.samples, SizeIs(1));
  EXPECT_THAT(profile.samples[0].values, ElementsAre(1, 10, 100));
  EXPECT_THAT(profile.samples[0].labels,
              ElementsAre(Label{"thread", "worker"}, Label{"tid", "", 42},
                          Label{"state", "running"}));
}

TEST_F(MeasuredProfileTest, BlockedSamplesSayWhatTheyWaitFor) {
  Measured& in_call = AddSample({Frame::Code(kProgram, 0x45)});
  in_call.key.state = ThreadState::kBlocked;
  in_call.key.wait = 7;
  Measured& fault = AddSample({Frame::Code(kProgram, 0x45)});
  fault.key.state = ThreadState::kDisk;
  fault.key.wait = kWaitPageFault;
  const Profile profile = Make();
  EXPECT_THAT(profile.samples[0].labels,
              ElementsAre(Label{"thread", "worker"}, Label{"tid", "", 42},
                          Label{"state", "blocked"}, Label{"wait", "call7"}));
  EXPECT_THAT(profile.samples[1].labels,
              ElementsAre(Label{"thread", "worker"}, Label{"tid", "", 42},
                          Label{"state", "disk"}, Label{"wait", "page-fault"}));
}

TEST_F(MeasuredProfileTest, ProgramsOwnLabelsComeLast) {
  AddSample({Frame::Code(kProgram, 0x45)}).key.labels = 5;
  EXPECT_EQ(Make().samples[0].labels.back(), (Label{"endpoint", "/search"}));
}

TEST_F(MeasuredProfileTest, SampleOfNoThreadHasNoThreadLabels) {
  AddSample({Frame::Pseudo(PseudoFrame::kExited)}).key.thread = 1000;
  EXPECT_THAT(Make().samples[0].labels, ElementsAre(Label{"state", "running"}));
}

TEST(ThreadStateNameTest, NamesAllStates) {
  EXPECT_STREQ(ThreadStateName(ThreadState::kRunning), "running");
  EXPECT_STREQ(ThreadStateName(ThreadState::kRunnable), "runnable");
  EXPECT_STREQ(ThreadStateName(ThreadState::kBlocked), "blocked");
  EXPECT_STREQ(ThreadStateName(ThreadState::kDisk), "disk");
}

TEST(WaitNameTest, IsEmptyForNothing) {
  const auto name = [](int number) { return "call" + std::to_string(number); };
  EXPECT_EQ(WaitName(kNoWait, name), "");
  EXPECT_EQ(WaitName(kWaitPageFault, name), "page-fault");
  EXPECT_EQ(WaitName(0, name), "call0");
}

TEST(LossCommentsTest, RateAndLatenessAlways) {
  Measurement measurement;
  measurement.end_ns = 2'000'000'000;
  measurement.ticks = 198;
  measurement.losses.late_ns = 198 * 50'000;
  EXPECT_THAT(
      LossComments(measurement),
      ElementsAre("wallprof: 198 ticks, 99.00 Hz, 0.050 ms late on average"));
}

TEST(LossCommentsTest, EachLossByItsReason) {
  Measurement measurement;
  measurement.end_ns = 1'000'000'000;
  measurement.ticks = 1;
  measurement.losses = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_THAT(
      LossComments(measurement),
      ElementsAre("wallprof: 1 ticks, 1.00 Hz, 0.000 ms late on average",
                  "wallprof: lost truncated 1", "wallprof: lost overflow 2",
                  "wallprof: lost masked 3", "wallprof: lost small_stack 4",
                  "wallprof: lost exited 5", "wallprof: lost late 6",
                  "wallprof: lost unseen 7"));
}

TEST(LossCommentsTest, OfAnEmptyWindowDivideByNothing) {
  EXPECT_THAT(
      LossComments(Measurement()),
      ElementsAre("wallprof: 0 ticks, 0.00 Hz, 0.000 ms late on average"));
}

TEST_F(MeasuredProfileTest, WaitsForLocksHaveWaiterAndHolder) {
  const Frame waiter = Frame::Code(kProgram, 0x10);
  const Frame holder = Frame::Code(kProgram, 0x20);
  Measured wait;
  wait.key.stack = recording_->table().Intern({&waiter, 1});
  wait.key.holder = recording_->table().Intern({&holder, 1});
  wait.key.wait = 202;
  wait.key.state = ThreadState::kRunning;  // the holder's
  wait.counts = {3, 0, 300};
  measurement_.lock_waits.push_back(wait);
  const Profile profile = LockWaitProfile(
      *recording_, measurement_, [](int) { return "futex"; },
      [](const SampleKey&) { return std::vector<Label>(); });
  ASSERT_EQ(CheckValid(profile), absl::OkStatus());
  EXPECT_EQ(profile.default_sample_type, "lockwait");
  ASSERT_THAT(profile.samples, SizeIs(1));
  const Sample& sample = profile.samples[0];
  EXPECT_THAT(sample.values, ElementsAre(3, 300));
  ASSERT_THAT(sample.location_ids, SizeIs(3));
  EXPECT_EQ(profile.locations[sample.location_ids[0] - 1].address, 0x400020u);
  EXPECT_EQ(profile.functions[0].name, "[held by]");
  EXPECT_EQ(profile.locations[sample.location_ids[2] - 1].address, 0x400010u);
  EXPECT_THAT(sample.labels,
              IsSupersetOf({Label{"state", "blocked"}, Label{"wait", "futex"},
                            Label{"holder", "running"}}));
  EXPECT_THAT(Make().samples, IsEmpty()) << "the wall profile has it elsewhere";
}

}  // namespace
}  // namespace wallprof::stacks
