// What a profile says of threads whose doings are known.
#include "profiler/capture/sampler.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "profiler/threads/cpu_clock.h"
#include "tests/capture/collected.h"
#include "wallprof/labels.h"

namespace wallprof::capture {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A thread that runs `body` under a name until the test is done.
class NamedThread {
 public:
  NamedThread(const std::string& name,
              std::function<void(const std::atomic<bool>& done)> body)
      : thread_([this, name, body = std::move(body)] {
          NameThread(name);
          tid_ = static_cast<threads::Tid>(syscall(SYS_gettid));
          body(done_);
        }) {
    while (tid_ == 0) usleep(100);
  }
  ~NamedThread() {
    done_ = true;
    thread_.join();
  }
  threads::Tid tid() const { return tid_; }

 private:
  std::atomic<bool> done_{false};
  std::atomic<threads::Tid> tid_{0};
  std::thread thread_;
};

__attribute__((noinline)) void NapInKnownPlace(const std::atomic<bool>& done) {
  while (!done) poll(nullptr, 0, 50);
}

__attribute__((noinline)) void ComputeInKnownPlace(
    const std::atomic<bool>& done) {
  Compute([&] { return done.load(); });
}

TEST(SamplerTest, BlockedThreadsSayWhereAndInWhat) {
  Profiling profiling;
  const NamedThread napping("napping", NapInKnownPlace);
  const Collected collected = profiling.Collect(absl::Milliseconds(500));
  const auto in_poll = [](const NamedSample& sample) {
    return sample.label("thread") == "napping" &&
           sample.label("state") == "blocked" &&
           sample.label("wait") == "poll" && sample.has("NapInKnownPlace(") &&
           sample.stack.back() == "poll";
  };
  EXPECT_GT(collected.Sum(in_poll).wall_ns, 450'000'000) << collected.Text();
  EXPECT_GT(collected.Sum(in_poll).samples, 5);
}

TEST(SamplerTest, RunningThreadsSayWhere) {
  Profiling profiling;
  const NamedThread computing("computing", ComputeInKnownPlace);
  profiling.Collect(absl::Milliseconds(200));  // the first answers are short
  const Collected collected = profiling.Collect(absl::Seconds(1));
  const auto running = [](const NamedSample& sample) {
    return sample.label("thread") == "computing" &&
           sample.has("ComputeInKnownPlace(") &&
           (sample.label("state") == "running" ||
            sample.label("state") == "runnable");
  };
  const NamedSample sum = collected.Sum(running);
  const NamedSample all = collected.Sum(Collected::Thread("computing"));
  EXPECT_GT(sum.wall_ns, 900'000'000) << collected.Text();
  EXPECT_GT(static_cast<double>(sum.wall_ns),
            0.9 * static_cast<double>(all.wall_ns))
      << collected.Text();
}

TEST(SamplerTest, CpuTimeIsThatOfTheThreadsClock) {
  Profiling profiling;
  const NamedThread computing("computing", ComputeInKnownPlace);
  const NamedThread napping("napping", NapInKnownPlace);
  profiling.Collect(absl::Milliseconds(100));
  const int64_t before = threads::CpuTimeOf(computing.tid());
  const Collected collected = profiling.Collect(absl::Seconds(1));
  const int64_t used = threads::CpuTimeOf(computing.tid()) - before;
  const int64_t said = collected.Sum(Collected::Thread("computing")).cpu_ns;
  // The window is from tick to tick, so a little off the test's.
  EXPECT_NEAR(static_cast<double>(said), static_cast<double>(used), 60e6)
      << collected.Text();
  EXPECT_LT(collected.Sum(Collected::Thread("napping")).cpu_ns, 50'000'000);
}

TEST(SamplerTest, LabelsAreOnAllOfAThreadsTime) {
  Profiling profiling;
  const auto labelled = [](auto body) {
    return [body](const std::atomic<bool>& done) {
      const ScopedLabel outer("endpoint", "/search");
      const ScopedLabel inner("user", "ada");
      body(done);
    };
  };
  const NamedThread napping("napping", labelled(NapInKnownPlace));
  const NamedThread computing("computing", labelled(ComputeInKnownPlace));
  profiling.Collect(absl::Milliseconds(300));
  const Collected collected = profiling.Collect(absl::Seconds(1));
  for (const char* thread : {"napping", "computing"}) {
    const NamedSample all = collected.Sum(Collected::Thread(thread));
    const NamedSample with = collected.Sum([&](const NamedSample& sample) {
      return sample.label("thread") == thread &&
             sample.label("endpoint") == "/search" &&
             sample.label("user") == "ada";
    });
    // All but what is not sampled yet as the window ends.
    EXPECT_GT(static_cast<double>(with.wall_ns),
              0.9 * static_cast<double>(all.wall_ns))
        << collected.Text();
  }
  EXPECT_EQ(collected
                .Sum([](const NamedSample& sample) {
                  return sample.label("thread") == "sampler_test" &&
                         !sample.label("endpoint").empty();
                })
                .wall_ns,
            0);
}

TEST(SamplerTest, ThreadsAreAsTheyAreNow) {
  Profiling profiling;
  const NamedThread napping("napping", [](const std::atomic<bool>& done) {
    while (!done) poll(nullptr, 0, 100);
  });
  const NamedThread computing("computing", ComputeInKnownPlace);
  profiling.Collect(absl::Milliseconds(700));
  const std::vector<ThreadInfo> threads = profiling->Threads();
  ASSERT_EQ(threads.size(), 3u);
  EXPECT_TRUE(std::is_sorted(
      threads.begin(), threads.end(),
      [](const ThreadInfo& a, const ThreadInfo& b) { return a.tid < b.tid; }));
  for (const ThreadInfo& thread : threads) {
    SCOPED_TRACE(thread.name);
    ASSERT_FALSE(thread.stack.empty());
    EXPECT_FALSE(thread.truncated);
    if (thread.tid == napping.tid()) {
      EXPECT_EQ(thread.name, "napping");
      EXPECT_EQ(thread.state, "blocked");
      EXPECT_EQ(thread.wait, "poll");
      EXPECT_EQ(thread.stack.back(), "poll") << "root first";
      EXPECT_GE(thread.wait_time, absl::ZeroDuration());
      EXPECT_LT(thread.wait_time, absl::Seconds(10));
    } else if (thread.tid == computing.tid()) {
      EXPECT_THAT(thread.state, AnyOf("running", "runnable"));
      EXPECT_EQ(thread.wait, "");
      EXPECT_THAT(thread.stack, Contains(HasSubstr("ComputeInKnownPlace(")));
      EXPECT_GT(thread.cpu_time, absl::Milliseconds(50));
    } else {
      EXPECT_EQ(thread.tid, getpid());
      EXPECT_THAT(thread.stack, Contains("main"));
    }
  }
}

TEST(SamplerTest, NewNamesAreSeen) {
  Profiling profiling;
  std::atomic<bool> rename{false};
  const NamedThread thread("before", [&](const std::atomic<bool>& done) {
    bool renamed = false;
    while (!done) {
      if (rename && !renamed) {
        NameThread("after");
        renamed = true;
      }
      usleep(5000);
    }
  });
  profiling.Collect(absl::Milliseconds(100));
  rename = true;
  // Names are read once a second.
  profiling.Collect(absl::Milliseconds(1500));
  bool found = false;
  for (const ThreadInfo& info : profiling->Threads()) {
    found |= info.tid == thread.tid() && info.name == "after";
  }
  EXPECT_TRUE(found);
}

// --- many threads ------------------------------------------------------------

TEST(SamplerTest, ManyIdleThreadsAllHaveTheirTime) {
  constexpr int kThreads = 500;
  std::atomic<uint32_t> go_on{0};
  std::atomic<int> running{0};
  std::vector<std::thread> idle;
  for (int i = 0; i < kThreads; ++i) {
    idle.emplace_back([&] {
      NameThread("idle");
      ++running;
      go_on.wait(0);
    });
  }
  while (running < kThreads) usleep(1000);
  Profiling profiling;
  profiling.Collect(absl::Milliseconds(300));
  const absl::StatusOr<Profile> profile =
      profiling->Collect(absl::Milliseconds(500));
  ASSERT_TRUE(profile.ok());
  const Collected collected(*profile);
  const NamedSample all = collected.Sum(Collected::Thread("idle"));
  EXPECT_EQ(all.wall_ns,
            kThreads * absl::ToInt64Nanoseconds(profile->duration));
  const auto lost = [](const NamedSample& sample) {
    return sample.label("thread") == "idle" && sample.has("[");
  };
  EXPECT_EQ(collected.Sum(lost).wall_ns, 0) << collected.Text();
  EXPECT_EQ(profiling->Threads().size(), kThreads + 1u);
  go_on = 1;
  go_on.notify_all();
  for (std::thread& thread : idle) thread.join();
}

int64_t ProcessCpuNs() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

TEST(SamplerTest, OfShortThreadsNoCpuTimeIsLost) {
  Profiling profiling;
  profiling.Collect(absl::Milliseconds(100));
  const absl::StatusOr<Profile> start = profiling->Snapshot();
  ASSERT_TRUE(start.ok());
  const int64_t before = ProcessCpuNs();
  const absl::Duration own_before = profiling->Stats().cpu_time;
  for (int i = 0; i < 1000; ++i) {
    std::thread([] {
      const auto tid = static_cast<threads::Tid>(syscall(SYS_gettid));
      Compute([&] { return threads::CpuTimeOf(tid) > 700'000; });
    }).join();
  }
  // What ended threads used is counted once a second.
  profiling.Collect(absl::Milliseconds(1300));
  const int64_t own =
      absl::ToInt64Nanoseconds(profiling->Stats().cpu_time - own_before);
  const int64_t used = ProcessCpuNs() - before - own;
  const absl::StatusOr<Profile> end = profiling->Snapshot();
  ASSERT_TRUE(end.ok());
  const Collected after(*end);
  const int64_t said = after.Sum(Collected::All()).cpu_ns -
                       Collected(*start).Sum(Collected::All()).cpu_ns;
  EXPECT_GT(used, 700'000'000);
  EXPECT_NEAR(static_cast<double>(said), static_cast<double>(used),
              0.1 * static_cast<double>(used));
  EXPECT_GT(after.Sum(Collected::Frame("[exited]")).cpu_ns, 0)
      << "most lived between two looks";
  EXPECT_GT(profiling->Stats().lost.exited, 0);
}

// --- threads that end --------------------------------------------------------

TEST(SamplerTest, EndedThreadsAreNotListed) {
  Profiling profiling;
  {
    const NamedThread napping("napping", NapInKnownPlace);
    profiling.Collect(absl::Milliseconds(100));
    EXPECT_EQ(profiling->Threads().size(), 2u);
  }
  profiling.Collect(absl::Milliseconds(400));
  EXPECT_EQ(profiling->Threads().size(), 1u);
  EXPECT_EQ(profiling->Stats().threads, 1);
}

// The number of an ended thread, given to another between two looks.
TEST(SamplerTest, AThreadOfTheSameNumberIsAnotherThread) {
  const int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  if (last < 0) GTEST_SKIP() << "may not choose the next thread's number";
  Profiling profiling;
  for (int attempt = 0; attempt < 6; ++attempt) {
    auto first = std::make_unique<NamedThread>("first", ComputeInKnownPlace);
    profiling.Collect(absl::Milliseconds(150));
    const threads::Tid tid = first->tid();
    first.reset();
    while (threads::CpuTimeOf(tid) >= 0) usleep(10);  // until it has ended
    const std::string before = std::to_string(tid - 1);
    if (write(last, before.data(), before.size()) < 0) {
      GTEST_SKIP() << "may not choose the next thread's number";
    }
    const NamedThread second("second", NapInKnownPlace);
    if (second.tid() != tid) continue;
    profiling.Collect(absl::Milliseconds(50));
    const Collected collected = profiling.Collect(absl::Milliseconds(300));
    EXPECT_GT(collected.Sum(Collected::Thread("second")).wall_ns, 290'000'000)
        << collected.Text();
    EXPECT_EQ(collected.Sum(Collected::Thread("first")).wall_ns, 0)
        << collected.Text();
    close(last);
    return;
  }
  close(last);
  GTEST_SKIP() << "others took the number each time";
}

// In a child, whose main thread can end without ending the test.
TEST(SamplerTest, GoesOnWithoutTheMainThread) {
  const auto main_thread_ends = [] {
    auto* profiling = new Profiling;
    static std::atomic<int> status{-1};
    std::thread([profiling] {
      NameThread("survivor");
      usleep(200'000);  // by then the main thread has ended
      std::thread other([] {
        NameThread("other");
        usleep(600'000);
      });
      profiling->Collect(absl::Milliseconds(300));
      const Collected collected = profiling->Collect(absl::Milliseconds(200));
      const auto here = [](const NamedSample& sample) {
        return sample.label("thread") == "other" &&
               sample.label("wait") == "clock_nanosleep" &&
               !sample.has("[truncated]");
      };
      const bool seen = collected.Sum(here).wall_ns > 150'000'000;
      const bool only_living = (*profiling)->Threads().size() == 2;
      if (!seen) fprintf(stderr, "%s", collected.Text().c_str());
      other.join();
      _exit(!seen ? 1 : !only_living ? 2 : 0);
    }).detach();
    // As pthread_exit ends it, but without unwinding the test.
    syscall(SYS_exit, 0);
    return 3;
  };
  EXPECT_EQ(StatusOfChild(main_thread_ends), 0);
}

}  // namespace
}  // namespace wallprof::capture
