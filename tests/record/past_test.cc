// The past of this process: what was recorded against what was measured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "profiler/capture/engine.h"
#include "profiler/capture/slice_reader.h"
#include "tests/capture/collected.h"
#include "tests/record/simulated_program.h"
#include "wallprof/labels.h"
#include "wallprof/merge.h"
#include "wallprof/profiler.h"
#include "wallprof/recorder.h"

namespace wallprof::record {
namespace {

using capture::Collected;
using capture::Profiling;
using capture::StatusOfChild;
using stacks::Counts;
using stacks::Measurement;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Options Recording() {
  Options options;
  options.record = true;
  return options;
}

absl::StatusOr<Profile> PastOf(Profiling& profiling, absl::Duration ago) {
  const absl::Time now = absl::Now();
  return profiling->Past(now - ago, now);
}

// Threads that wait, nap and compute, until destroyed.
class Busy {
 public:
  Busy() {
    threads_.emplace_back([this] { go_on_.wait(0); });
    threads_.emplace_back([this] {
      while (go_on_ == 0) poll(nullptr, 0, 3);
    });
    threads_.emplace_back([this] {
      const ScopedLabel label("endpoint", "/search");
      capture::Compute([this] { return go_on_ != 0; });
    });
  }
  ~Busy() {
    go_on_ = 1;
    go_on_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<uint32_t> go_on_{0};
  std::vector<std::thread> threads_;
};

TEST(PastTest, AnswersAtOnceWithLabelsThreadsAndViews) {
  Profiling profiling(Recording());
  const Busy busy;
  capture::NameThread("asking");
  ASSERT_TRUE(profiling->Collect(absl::Milliseconds(300)).ok());
  const absl::Time before = absl::Now();
  const absl::StatusOr<Profile> profile = PastOf(profiling, absl::Minutes(1));
  EXPECT_LT(absl::Now() - before, absl::Seconds(2));
  ASSERT_TRUE(profile.ok()) << profile.status();
  ASSERT_EQ(CheckValid(*profile), absl::OkStatus());
  EXPECT_GE(profile->duration, absl::Milliseconds(290));
  EXPECT_NEAR(absl::ToDoubleSeconds(before - profile->time),
              absl::ToDoubleSeconds(profile->duration), 0.3);
  EXPECT_THAT(profile->comments, Contains(HasSubstr("wallprof: recorded")));
  const Collected collected(*profile);
  EXPECT_GT(collected
                .Sum([](const capture::NamedSample& sample) {
                  return sample.label("endpoint") == "/search" &&
                         sample.has("Compute");
                })
                .samples,
            0)
      << collected.Text();
  EXPECT_GT(collected.Sum(Collected::Thread("asking")).wall_ns, 250'000'000);
  EXPECT_TRUE(SelectView(*profile, View::kOffCpu).ok());
}

TEST(PastTest, HoldersOfLocksAreRecordedToo) {
  Profiling profiling(Recording());
  std::mutex mutex;
  mutex.lock();
  std::thread waiter([&] {
    capture::NameThread("waiter");
    std::lock_guard lock(mutex);
  });
  ASSERT_TRUE(profiling->Collect(absl::Milliseconds(400)).ok());
  const absl::Time now = absl::Now();
  const absl::StatusOr<Profile> waits =
      profiling->Past(now - absl::Minutes(1), now, {View::kBlockedBy});
  mutex.unlock();
  waiter.join();
  ASSERT_TRUE(waits.ok()) << waits.status();
  const Collected collected(*waits);
  EXPECT_GT(collected
                .Sum([](const capture::NamedSample& sample) {
                  return sample.label("thread") == "waiter" &&
                         sample.has("pthread_mutex_lock") &&
                         sample.has("[held by]") && sample.has("main");
                })
                .wall_ns,
            300'000'000)
      << collected.Text();
}

TEST(PastTest, WithoutARecorderThereIsNone) {
  Profiling profiling;
  EXPECT_EQ(PastOf(profiling, absl::Minutes(1)).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(profiling->DescribeRecorded().status().code(),
            absl::StatusCode::kNotFound);
}

TEST(PastTest, BadTimesAndOptionsAreRefused) {
  Profiling profiling(Recording());
  const absl::Time now = absl::Now();
  EXPECT_EQ(profiling->Past(now, now).status().code(),
            absl::StatusCode::kInvalidArgument);
  Options options = Recording();
  options.record_memory_bytes = 1000;
  EXPECT_THAT(std::string(options.Validate().message()),
              HasSubstr("record_memory_bytes must be at least"));
  options = Options();
  options.record_dir = "/tmp/x";
  EXPECT_THAT(std::string(options.Validate().message()),
              HasSubstr("record_dir needs record"));
}

TEST(PastTest, EndsWithTheProfiler) {
  for (int i = 0; i < 5; ++i) {
    Profiling profiling(Recording());
    usleep(i * 10'000);
    const auto before = std::chrono::steady_clock::now();
    profiling.Stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before,
              std::chrono::seconds(1));
  }
}

TEST(PastTest, AForkedChildHasNoRecorderUnlessTheProfilerRestarts) {
  for (const bool restart : {false, true}) {
    Options options = Recording();
    options.restart_in_child = restart;
    Profiling profiling(options);
    ASSERT_TRUE(profiling->Collect(absl::Milliseconds(200)).ok());
    ASSERT_TRUE(PastOf(profiling, absl::Minutes(1)).ok());
    EXPECT_EQ(StatusOfChild([&] {
                if (!restart) {
                  return PastOf(profiling, absl::Minutes(1)).status().code() ==
                                 absl::StatusCode::kFailedPrecondition
                             ? 0
                             : 1;
                }
                if (!profiling->Collect(absl::Milliseconds(50)).ok()) return 2;
                const auto past = PastOf(profiling, absl::Minutes(1));
                if (!past.ok()) return 3;
                // Of the child alone.
                return past->duration < absl::Milliseconds(190) ? 0 : 4;
              }),
              0);
    EXPECT_TRUE(PastOf(profiling, absl::Minutes(1)).ok());
  }
}

// --- slices of a session -----------------------------------------------------

// A session that a slice reader measures all the time.
class Slicing {
 public:
  explicit Slicing(size_t recording_bytes, int frequency_hz = 99) {
    capture::SessionOptions options;
    options.frequency_hz = frequency_hz;
    options.signal = SIGURG;
    options.recording_bytes = recording_bytes;
    options.request_bytes = size_t{1} << 20;
    options.companion = [this](capture::Session& session) {
      capture::SliceReader reader(session);
      while (reader
                 .Next(absl::Hours(1),
                       [&](const Measurement& measurement) {
                         recorder.Add(session.recording(), measurement);
                         const std::lock_guard lock(mutex_);
                         slices_.push_back(measurement);
                       })
                 .ok()) {
      }
    };
    engine_ = capture::Engine::Start(options, false).value();
  }

  capture::Session& session() { return *engine_->session(); }

  std::vector<Measurement> slices() {
    const std::lock_guard lock(mutex_);
    return slices_;
  }

  // Ends the slice under way at the last tick.
  Measurement EndSlice() {
    const size_t before = slices().size();
    session().EndSlice();
    while (slices().size() == before) usleep(500);
    return slices()[before];
  }

  Recorder recorder{{16 << 20, "", 0}, [](uint32_t) { return LabelTexts(); }};

 private:
  std::mutex mutex_;
  std::vector<Measurement> slices_;
  std::unique_ptr<capture::Engine> engine_;
};

TEST(SliceReaderTest, ASliceIsToTheNanosecondWhatAMeasurementSaw) {
  Slicing slicing(size_t{8} << 20);
  const Busy busy;
  usleep(200'000);
  for (int attempt = 0; attempt < 10; ++attempt) {
    // Between two ticks, both begin with the last one.
    slicing.session().Park();
    const int64_t start_ns = slicing.EndSlice().end_ns;
    Measurement measured;
    Measurement slice;
    std::thread collecting([&] {
      const absl::Status status = slicing.session().Measure(
          absl::Seconds(1), {}, [&](const Measurement& measurement) {
            measured = measurement;
            slice = slicing.EndSlice();
          });
      EXPECT_EQ(status, absl::OkStatus());
    });
    usleep(50'000);
    slicing.session().Unpark();
    collecting.join();
    if (measured.start_ns != start_ns || measured.end_ns != slice.end_ns) {
      continue;  // a tick came in between
    }
    EXPECT_EQ(TotalOf(slice), TotalOf(measured));
    EXPECT_EQ(slice.ticks, measured.ticks);
    const absl::Time end =
        absl::FromUnixNanos(ReadSystemClocks().WallOf(slice.end_ns));
    const auto past = slicing.recorder.Past({end - absl::Seconds(1), end});
    ASSERT_TRUE(past.ok());
    EXPECT_EQ(TotalOf(*past), TotalOf(measured));
    EXPECT_EQ(past->duration,
              absl::Nanoseconds(measured.end_ns - measured.start_ns));
    return;
  }
  GTEST_SKIP() << "ticks came in between each time";
}

// As a program that is in a new place at each look would; the table takes
// stacks from any thread.
void FillTable(const stacks::Recording& recording) {
  stacks::StackTable& table = const_cast<stacks::Recording&>(recording).table();
  for (uint64_t number = 0; table.Fullness() < 0.75; ++number) {
    const stacks::Frame frame = stacks::Frame::Code(0, 0x1000 + number);
    stacks::SampleKey key;
    key.stack = table.Intern({&frame, 1});
    table.Find(key);
  }
}

TEST(SliceReaderTest, HasTheTableEmptiedAndLosesNoMoreThanHalfATickByIt) {
  Slicing slicing(stacks::Recording::kMinBytes);
  const Busy busy;
  const absl::Time until = absl::Now() + absl::Seconds(20);
  for (size_t slice = 1; slice <= 3 && absl::Now() < until; ++slice) {
    usleep(200'000);
    FillTable(slicing.session().recording());
    // Each slice is ended by the table alone.
    while (slicing.slices().size() < slice && absl::Now() < until) {
      usleep(10'000);
    }
  }
  EXPECT_LT(slicing.session().recording().table().Fullness(), 0.5);
  const std::vector<Measurement> slices = slicing.slices();
  ASSERT_EQ(slices.size(), 3u);
  for (size_t i = 1; i < slices.size(); ++i) {
    EXPECT_EQ(slices[i].start_ns, slices[i - 1].end_ns);
    EXPECT_EQ(slices[i].losses.overflow, 0);
  }
  // This thread has slept all along.
  const auto all = slicing.recorder.Past({});
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(CheckValid(*all), absl::OkStatus());
  int64_t own_ns = 0;
  for (const Sample& sample : all->samples) {
    for (const Label& label : sample.labels) {
      if (label.key == "tid" && label.number == getpid()) {
        own_ns += sample.values[2];
      }
    }
  }
  const double ratio =
      static_cast<double>(own_ns) /
      static_cast<double>(absl::ToInt64Nanoseconds(all->duration));
  EXPECT_GT(ratio, 0.97) << "three times half a tick";
  EXPECT_LE(ratio, 1.0);
}

// --- what a killed program leaves --------------------------------------------

// In a child: records to `directory`, and tells through `out` after each slice
// how many have been written.
int RecordUntilKilled(const std::string& directory, int out) {
  Options options = Recording();
  options.record_dir = directory;
  Profiling profiling(options);
  const Busy busy;
  for (;;) {
    if (!PastOf(profiling, absl::Minutes(1)).ok()) continue;
    const int64_t written = profiling->DescribeRecorded()->slices_written;
    if (write(out, &written, sizeof(written)) < 0) return 1;
  }
}

TEST(CrashTest, KilledAtAnyTimeAProgramLeavesAllSlicesButTheLast) {
  std::string directory = ::testing::TempDir() + "crashXXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  std::mt19937 random(4);
  int64_t computing = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string own = directory + "/" + std::to_string(i);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(RecordUntilKilled(own, ends[1]));
    close(ends[1]);
    int64_t written = 0;
    ASSERT_GT(read(ends[0], &written, sizeof(written)), 0);
    usleep(static_cast<useconds_t>(random() % 100'000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &written, sizeof(written)) > 0) {
    }
    close(ends[0]);

    std::vector<std::string> problems;
    const absl::StatusOr<Profile> profile = ReadRecorded(
        own, absl::InfinitePast(), absl::InfiniteFuture(), problems);
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_LE(problems.size(), 1u) << problems.front();
    EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
    std::vector<std::string> ignored;
    size_t slices = 0;
    const auto files = ReadSpool(own, ignored);
    for (const auto& file : *files) slices += file->slices.size();
    EXPECT_GE(slices, static_cast<size_t>(written));
    computing += Collected(*profile).Sum(Collected::Frame("Compute")).samples;
  }
  EXPECT_GT(computing, 0) << "symbols are of the files on disk";
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace wallprof::record
