// What recording costs, for a program of 200 threads and 5000 distinct stacks,
// beside the budget: 1 % of a core and 16 MiB.
//
//   bench/recorder [SECONDS]
//
// First a real program, that long without and with a recorder (60 s by
// default, in five turns). Then a day of such a program's slices, made up, for
// what memory comes to and how long answers take when the recorder is full.
#include "profiler/record/recorder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/measuring.h"
#include "profiler/stacks/recording.h"
#include "profiler/stacks/snapshot.h"
#include "profiler/threads/clock.h"
#include "wallprof/formats.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

constexpr uint32_t kThreads = 200;
constexpr uint32_t kStacks = 5000;
constexpr uint32_t kStacksOfThread = kStacks / kThreads;
constexpr int kDepth = 45;
// One in so many waits for a lock, behind a thread that is elsewhere.
constexpr uint32_t kWaitingShare = 10;

constexpr double kBudgetCpuPercent = 1;
constexpr double kBudgetMiB = 16;
constexpr double kMiB = 1 << 20;

double ToMiB(int64_t bytes) { return static_cast<double>(bytes) / kMiB; }

// --- a real program ----------------------------------------------------------

std::atomic<bool> g_stop{false};

void Nap() {
  const timespec nap{0, 100'000'000};
  nanosleep(&nap, nullptr);
}

void Left(uint32_t path, int depth);

// Calls one of two by each bit of `path`: a stack for each number.
__attribute__((noinline)) void Right(uint32_t path, int depth) {
  if (depth == 0) return Nap();
  (path & 1) != 0 ? Right(path >> 1, depth - 1) : Left(path >> 1, depth - 1);
  asm volatile("nop");  // no tail call, and not the same code as the other's
}

__attribute__((noinline)) void Left(uint32_t path, int depth) {
  if (depth == 0) return Nap();
  (path & 1) != 0 ? Right(path >> 1, depth - 1) : Left(path >> 1, depth - 1);
  asm volatile("" ::: "memory");
}

// CPU time of this process's threads that are called `name`.
int64_t CpuNsOf(const std::string& name) {
  int64_t total = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (const dirent* task = readdir(tasks)) {
    const std::string path = std::string("/proc/self/task/") + task->d_name;
    std::string comm;
    std::getline(std::ifstream(path + "/comm"), comm);
    int64_t run_ns = 0;
    if (comm == name) std::ifstream(path + "/schedstat") >> run_ns;
    total += run_ns;
  }
  closedir(tasks);
  return total;
}

struct Cost {
  double all = 0;       // of the profiler, per cent of a core
  double recorder = 0;  // of that, its thread's
};

void PrintKept(Profiler& profiler) {
  const Recorded recorded = profiler.DescribeRecorded().value();
  const absl::Time asked = absl::Now();
  const Profile profile =
      profiler.Past(asked - absl::Minutes(10), asked).value();
  printf(
      "           %.2f MiB after %zu slices; from=-10m in %.0f ms, %zu "
      "samples\n",
      ToMiB(recorded.memory_bytes), recorded.slices.size(),
      absl::ToDoubleMilliseconds(absl::Now() - asked), profile.samples.size());
}

Cost MeasureReal(absl::Duration duration, bool record, bool last) {
  Options options;
  options.record = record;
  std::unique_ptr<Profiler> profiler = Profiler::Start(options).value();
  absl::SleepFor(absl::Seconds(2));
  const absl::Duration before = profiler->Stats().cpu_time;
  const int64_t recorder_before = CpuNsOf("wallprof-record");
  const absl::Time start = absl::Now();
  absl::SleepFor(duration);
  const double passed = absl::ToDoubleSeconds(absl::Now() - start);
  Cost cost;
  cost.all =
      absl::ToDoubleSeconds(profiler->Stats().cpu_time - before) / passed * 100;
  cost.recorder =
      static_cast<double>(CpuNsOf("wallprof-record") - recorder_before) / 1e9 /
      passed * 100;
  if (record && last) PrintKept(*profiler);
  return cost;
}

// In turns, since what else the machine does changes with time.
void RunReal(absl::Duration duration) {
  constexpr int kRounds = 5;
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([i] {
      for (uint32_t k = 0; !g_stop; ++k) {
        Left(i * kStacksOfThread + k % kStacksOfThread, kDepth - 5);
      }
    });
  }
  std::vector<double> without, more, recorder;
  for (int round = 0; round < kRounds; ++round) {
    const bool last = round == kRounds - 1;
    const Cost bare = MeasureReal(duration / kRounds, false, last);
    const Cost recording = MeasureReal(duration / kRounds, true, last);
    without.push_back(bare.all);
    more.push_back(recording.all - bare.all);
    recorder.push_back(recording.recorder);
  }
  g_stop = true;
  for (std::thread& thread : threads) thread.join();
  printf(
      "profiler   %.2f %% of a core; with a recorder %+.2f (%+.2f to %+.2f), "
      "its thread %.3f (budget %.0f)\n",
      Median(without), Median(more),
      *std::min_element(more.begin(), more.end()),
      *std::max_element(more.begin(), more.end()), Median(recorder),
      kBudgetCpuPercent);
}

// --- a day, made up ----------------------------------------------------------

int64_t ResidentBytes() {
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// Whose threads are in all of their places in every slice.
class Day {
 public:
  Day()
      : recorder_({size_t{16} << 20, "", 0}, nullptr, [this] { return now_; }) {
    for (uint32_t i = 0; i < kThreads; ++i) recording_->AddThread(100 + i, "t");
    stacks::StackId holder{0};
    for (uint32_t number = 0; number < kStacks; ++number) {
      std::vector<stacks::Frame> frames;
      for (int depth = 0; depth < kDepth; ++depth) {
        const uint64_t which = depth < 8 ? number : number % 97;
        frames.push_back(stacks::Frame::Code(1, which * 64 + depth));
      }
      stacks::SampleKey key;
      key.stack = recording_->table().Intern(frames);
      key.thread = number / kStacksOfThread;
      key.state = stacks::ThreadState::kBlocked;
      entries_.push_back(recording_->table().Find(key));
      if (number % kWaitingShare == 0) {
        key.holder = holder;
        entries_.push_back(recording_->table().Find(key));
      }
      holder = key.stack;
    }
  }

  void Pass(absl::Duration duration = record::kSliceLength) {
    const int64_t slice_ns = absl::ToInt64Nanoseconds(duration);
    for (const stacks::EntryId entry : entries_) {
      stacks::Counts counts;
      counts.samples = 20 + static_cast<int64_t>(random_() % 40);
      counts.wall_ns = counts.samples * 10'101'010 +
                       static_cast<int64_t>(random_() % 10'000'000);
      if (random_() % 5 == 0) counts.cpu_ns = random_() % 100'000'000;
      recording_->table().Add(entry, counts);
    }
    recording_->BeginTick();
    now_.monotonic_ns += slice_ns;
    now_.boottime_ns += slice_ns;
    now_.wall_ns += slice_ns;
    recording_->EndTick(now_.monotonic_ns);
    const int64_t before = threads::NowNs(CLOCK_THREAD_CPUTIME_ID);
    stacks::Snapshot end = stacks::TakeSnapshot(*recording_);
    recorder_.Add(*recording_, stacks::Difference(*recording_, last_, end,
                                                  stacks::kNoStack));
    last_ = std::move(end);
    cpu_ns_ += threads::NowNs(CLOCK_THREAD_CPUTIME_ID) - before;
    most_bytes_ = std::max(most_bytes_, recorder_.memory_bytes());
    passed_ += duration;
  }

  void PrintCosts(const char* when, int64_t resident_before) {
    const Recorded recorded = recorder_.Describe();
    printf(
        "%-10s %4zu slices, the last hour's of %s at most, %.2f MiB, at most "
        "%.2f (budget %.0f); resident %.1f MiB more; %.3f %% of a core\n",
        when, recorded.slices.size(), Longest(recorded).c_str(),
        ToMiB(recorded.memory_bytes), ToMiB(most_bytes_), kBudgetMiB,
        ToMiB(ResidentBytes() - resident_before),
        static_cast<double>(cpu_ns_) / 1e9 / absl::ToDoubleSeconds(passed_) *
            100);
  }

  void PrintAnswer(const char* what, absl::Duration from, absl::Duration to) {
    const absl::Time now = absl::FromUnixNanos(now_.wall_ns);
    const absl::Time start = absl::Now();
    const Profile profile = recorder_.Past({now - from, now - to}).value();
    const absl::Time made = absl::Now();
    const std::string bytes = EncodePprof(profile);
    printf("%-24s %4.0f ms, encoded %4.0f ms, %zu samples of %s\n", what,
           absl::ToDoubleMilliseconds(made - start),
           absl::ToDoubleMilliseconds(absl::Now() - made),
           profile.samples.size(),
           absl::FormatDuration(absl::Trunc(profile.duration, absl::Seconds(1)))
               .c_str());
  }

 private:
  std::string Longest(const Recorded& recorded) const {
    absl::Duration longest;
    for (const RecordedSlice& slice : recorded.slices) {
      if (slice.end > recorded.slices.back().end - absl::Hours(1)) {
        longest = std::max(longest, slice.duration);
      }
    }
    return absl::FormatDuration(longest);
  }

  std::unique_ptr<stacks::Recording> recording_ =
      stacks::Recording::Allocate(size_t{32} << 20).value();
  std::vector<stacks::EntryId> entries_;
  std::mt19937 random_{1};
  record::ClockReading now_{1'000'000'000, 1'000'000'000,
                            1'767'323'045'000'000'000};
  record::Recorder recorder_;
  stacks::Snapshot last_ = stacks::EmptySnapshot(*recording_);
  int64_t cpu_ns_ = 0;
  absl::Duration passed_;
  int64_t most_bytes_ = 0;
};

void RunDay() {
  Day day;
  day.Pass();
  const int64_t resident_before = ResidentBytes();
  for (int slice = 0; slice < 360; ++slice) day.Pass();
  day.PrintCosts("an hour", resident_before);
  // Of the hours before the last two, minutes are all that will be left.
  for (int slice = 0; slice < 22 * 60; ++slice) day.Pass(absl::Minutes(1));
  for (int slice = 0; slice < 2 * 360; ++slice) day.Pass();
  day.PrintCosts("a day", resident_before);
  day.PrintAnswer("from=-10m", absl::Minutes(10), absl::ZeroDuration());
  day.PrintAnswer("from=-10m&to=-5m", absl::Minutes(10), absl::Minutes(5));
  day.PrintAnswer("from=-1h", absl::Hours(1), absl::ZeroDuration());
  day.PrintAnswer("from=-24h", absl::Hours(24), absl::ZeroDuration());
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? atoi(argv[1]) : 60;
  setvbuf(stdout, nullptr, _IOLBF, 0);  // it takes minutes
  printf("A program of %u threads and %u stacks of %d frames, %d s each\n",
         wallprof::kThreads, wallprof::kStacks, wallprof::kDepth, seconds);
  if (seconds > 0) wallprof::RunReal(absl::Seconds(seconds));
  printf(
      "\nMade-up slices of as many, all of them in every slice, one in %u a "
      "wait "
      "for a lock\n",
      wallprof::kWaitingShare);
  wallprof::RunDay();
}
