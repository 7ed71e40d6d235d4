// A schedule of a real profiler.
#include "wallprof/bundle_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/fleet/bundle/checked_entries.h"
#include "wallprof/formats.h"
#include "wallprof/variables.h"

namespace wallprof {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// In memory, with a door that can be shut.
class Shelf : public BundleStore {
 public:
  absl::Status Put(
      const std::string& key,
      const std::function<absl::Status(const BundleSink&)>& write) override {
    std::string bytes;
    absl::Status written = write([&](std::string_view more) {
      bytes.append(more);
      return fails ? absl::ResourceExhaustedError("full") : absl::OkStatus();
    });
    std::lock_guard lock(mutex_);
    if (written.ok()) bundles_.emplace_back(key, std::move(bytes));
    ++puts_;
    changed_.notify_all();
    return written;
  }

  void Await(int puts) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return puts_ >= puts; });
  }

  std::vector<std::pair<std::string, std::string>> bundles() {
    std::lock_guard lock(mutex_);
    return bundles_;
  }

  std::atomic<bool> fails{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, std::string>> bundles_;
  int puts_ = 0;
};

class BundleScheduleTest : public ::testing::Test {
 protected:
  BundleScheduleTest() {
    options_.store = shelf_;
    options_.first_after = absl::ZeroDuration();
    options_.interval = absl::Seconds(1);
    options_.jitter = absl::Seconds(1);
    options_.bundle.profile = absl::Milliseconds(100);
    // Whatever the allocator is.
    options_.bundle.heap_statistics = [] { return std::string("{}"); };
    auto profiler = Profiler::Start();
    EXPECT_TRUE(profiler.ok()) << profiler.status();
    profiler_ = *std::move(profiler);
  }

  std::unique_ptr<BundleSchedule> Start() {
    auto schedule = BundleSchedule::Start(options_, *profiler_);
    EXPECT_TRUE(schedule.ok()) << schedule.status();
    return *std::move(schedule);
  }

  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
  BundleScheduleOptions options_;
  std::unique_ptr<Profiler> profiler_;
};

TEST_F(BundleScheduleTest, FirstMeasuredAndLast) {
  auto schedule = Start();
  shelf_->Await(2);
  schedule->Stop();
  const auto bundles = shelf_->bundles();
  ASSERT_GE(bundles.size(), 3u);
  EXPECT_EQ(schedule->Counts().written, static_cast<int64_t>(bundles.size()));
  EXPECT_EQ(schedule->Counts().failed, 0);
  for (size_t i = 0; i < bundles.size(); ++i) {
    const bundle::Entries entries = bundle::ReadZip(bundles[i].second);
    const bool measured = i != 0 && i + 1 != bundles.size();
    EXPECT_THAT(bundle::NamesOf(entries), SizeIs(measured ? 7 : 6));
    const absl::StatusOr<Profile> wall =
        DecodePprof(bundle::EntryOf(entries, "pprof/wall"));
    ASSERT_TRUE(wall.ok());
    if (measured) {
      EXPECT_GE(wall->duration, absl::Milliseconds(80));
      const absl::StatusOr<Profile> cpu =
          DecodePprof(bundle::EntryOf(entries, "pprof/profile"));
      ASSERT_TRUE(cpu.ok());
      EXPECT_EQ(cpu->duration, wall->duration) << "of the same time";
    }
    // What takes bundles is not among the program's threads.
    const auto threads =
        nlohmann::json::parse(bundle::EntryOf(entries, "threads.json"));
    EXPECT_THAT(threads["threads"], SizeIs(1));
    EXPECT_THAT(bundle::EntryOf(entries, "pprof/wall"),
                ::testing::Not(HasSubstr("wallprof-bundle")));
  }
}

TEST_F(BundleScheduleTest, WhatCannotBeKeptIsCountedAndTriedAgain) {
  shelf_->fails = true;
  auto schedule = Start();
  shelf_->Await(2);
  EXPECT_GE(schedule->Counts().failed, 1);
  EXPECT_EQ(schedule->Counts().last_error, "full");
  std::vector<std::string> problems;
  EXPECT_THAT(VariablesJson(problems), HasSubstr("\"last_error\":\"full\""));
  shelf_->fails = false;
  schedule->Stop();
  EXPECT_GE(schedule->Counts().written, 1);
  EXPECT_EQ(schedule->Counts().last_error, "");
  EXPECT_GE(shelf_->bundles().size(), 1u);
}

TEST_F(BundleScheduleTest, StoppedInTheMidstItKeepsWhatItMeasured) {
  options_.bundle.profile = absl::Hours(1);
  std::atomic<int> begun{0};
  options_.bundle.sources = {{"begun", [&begun](const BundleSink& sink) {
                                ++begun;
                                return sink("x");
                              }}};
  auto schedule = Start();
  while (begun < 2) usleep(1000);  // the second measures
  usleep(200'000);
  schedule->Stop();
  const auto bundles = shelf_->bundles();
  ASSERT_EQ(bundles.size(), 3u);
  const bundle::Entries entries = bundle::ReadZip(bundles[1].second);
  const auto profile = DecodePprof(bundle::EntryOf(entries, "pprof/profile"));
  ASSERT_TRUE(profile.ok());
  EXPECT_GT(profile->duration, absl::ZeroDuration());
  EXPECT_LT(profile->duration, absl::Minutes(1));
}

TEST_F(BundleScheduleTest, SourcesHaveTheProgramsDescriptors) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  options_.bundle.sources = {{"piped", [&ends](const BundleSink& sink) {
                                EXPECT_EQ(write(ends[1], "x", 1), 1);
                                return sink("written");
                              }}};
  std::string thread(16, '\0');
  const Variable named("thread", [&thread] {
    pthread_getname_np(pthread_self(), thread.data(), thread.size());
    return "1";
  });
  auto schedule = Start();
  shelf_->Await(1);
  schedule->Stop();
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(thread.c_str(), std::string("wallprof-calls"));
  const bundle::Entries entries = bundle::ReadZip(shelf_->bundles()[0].second);
  EXPECT_EQ(bundle::EntryOf(entries, "custom/piped"), "written");
  // Neither of ours is among the program's threads.
  const auto threads =
      nlohmann::json::parse(bundle::EntryOf(entries, "threads.json"));
  EXPECT_THAT(threads["threads"], SizeIs(1));
  close(ends[0]);
  close(ends[1]);
}

TEST_F(BundleScheduleTest, OthersMeasureUndisturbed) {
  options_.bundle.profile = absl::Milliseconds(300);
  auto schedule = Start();
  const auto profile = profiler_->Collect(absl::Seconds(1.5));
  ASSERT_TRUE(profile.ok());
  EXPECT_GE(profile->duration, absl::Seconds(1.4));
  shelf_->Await(2);
  schedule->Stop();
  EXPECT_EQ(schedule->Counts().parts_left_out, 0);
}

TEST_F(BundleScheduleTest, AForkedChildWritesNothing) {
  auto schedule = Start();
  shelf_->Await(1);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    schedule->Stop();
    const bool idle = schedule->Counts().written == 0;
    schedule.reset();
    _exit(idle ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(BundleScheduleTest, OptionsAreChecked) {
  const auto why = [this] {
    const auto schedule = BundleSchedule::Start(options_, *profiler_);
    EXPECT_EQ(schedule.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(schedule.status().message());
  };
  options_.directory = "/tmp";
  EXPECT_THAT(why(), HasSubstr("not both"));
  options_.directory = "";
  options_.store = nullptr;
  EXPECT_THAT(why(), HasSubstr("a directory or a store"));
  options_.store = shelf_;
  options_.interval = absl::Milliseconds(999);
  EXPECT_THAT(why(), HasSubstr("interval"));
  options_.interval = absl::InfiniteDuration();
  EXPECT_THAT(why(), HasSubstr("interval"));
  options_.interval = absl::Seconds(5);
  options_.jitter = absl::Seconds(6);
  EXPECT_THAT(why(), HasSubstr("jitter"));
  options_.jitter = absl::Seconds(5);
  options_.first_after = -absl::Seconds(1);
  EXPECT_THAT(why(), HasSubstr("first_after"));
  options_.first_after = absl::Seconds(1);
  options_.keep_bytes = 0;
  EXPECT_THAT(why(), HasSubstr("keep_bytes"));
}

TEST(BundleAtExitTest, ExitLeavesALastBundle) {
  char name[] = "/tmp/bundle_exit_XXXXXX";
  const std::string directory = mkdtemp(name);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(30);
    auto profiler = Profiler::Start();
    BundleScheduleOptions options;
    options.directory = directory;
    options.first_after = absl::Hours(1);
    auto schedule = BundleSchedule::Start(options, **profiler);
    // Past the destructors of these two.
    exit(schedule.ok() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  int bundles = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    bundles += entry.path().extension() == ".zip";
  }
  EXPECT_EQ(bundles, 1);
  fs::remove_all(directory);
}

}  // namespace
}  // namespace wallprof
