#include "profiler/threads/cpu_clock.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace wallprof::threads {
namespace {

int64_t OwnCpuTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

TEST(CpuClockTest, IsTheThreadsOwnClock) {
  const int64_t before = OwnCpuTime();
  const int64_t read = CpuTimeOf(OwnTid());
  const int64_t after = OwnCpuTime();
  EXPECT_LE(before, read);
  EXPECT_LE(read, after);
}

TEST(CpuClockTest, OfABlockedThreadStandsStill) {
  std::atomic<Tid> tid{0};
  std::atomic<uint32_t> go_on{0};
  std::thread blocked([&] {
    tid = OwnTid();
    go_on.wait(0);
  });
  while (tid == 0) std::this_thread::yield();
  // It has blocked once its clock reads the same twice with a nap in between.
  int64_t last = -1;
  for (int64_t now = CpuTimeOf(tid); now != last; now = CpuTimeOf(tid)) {
    last = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(CpuTimeOf(tid), last);
  go_on = 1;
  go_on.notify_all();
  blocked.join();
}

TEST(CpuClockTest, OfNoThreadIsMinusOne) {
  Tid ended = 0;
  std::thread([&] { ended = OwnTid(); }).join();
  // Joined, it may still be on its way out for a moment.
  for (int i = 0; i < 1000 && CpuTimeOf(ended) >= 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(CpuTimeOf(ended), -1);
}

TEST(CpuClockTest, OfAnotherProcessIsMinusOne) {
  EXPECT_EQ(CpuTimeOf(1), -1) << "init is no thread of ours";
}

}  // namespace
}  // namespace wallprof::threads
