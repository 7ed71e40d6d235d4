// What the kernel gives of this process, and that it is told what it does not.
#include "profiler/capture/cpu/perf_events.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>
#include <vector>

#include "tests/capture/collected.h"
#include "tests/capture/withhold.h"

namespace wallprof::capture {
namespace {

constexpr size_t kPlenty = size_t{64} << 20;

void UseCpu(int64_t ns) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
  };
  const int64_t end = now() + ns;
  Compute([&] { return now() >= end; });
}

TEST(PerfEventsTest, RecordsFollowEachOtherAroundTheBuffersEnd) {
  const auto events = PerfEvents::Open({threads::OwnTid()}, 1000, kPlenty);
  if (!events.ok()) GTEST_SKIP() << events.status();
  const size_t most = (*events)->samples_per_ring();
  int64_t samples = 0, lost = 0;
  // Three times around: in steps that leave a record across the end.
  for (int i = 0; i < 12; ++i) {
    UseCpu(static_cast<int64_t>(most) / 4 * (*events)->period_ns());
    for (PerfRing& ring : (*events)->rings()) {
      ring.Read([&](const PerfRecord& record) {
        if (const auto sample = ParsePerfSample(record)) {
          EXPECT_EQ(sample->tid, threads::OwnTid());
          EXPECT_GT(sample->stack.size(), 0u);
          ++samples;
        }
        lost += ParsePerfLost(record).value_or(0);
      });
    }
  }
  EXPECT_NEAR(static_cast<double>(samples), static_cast<double>(most / 4 * 12),
              static_cast<double>(most) / 4);
  EXPECT_EQ(lost, 0);
}

TEST(PerfEventsTest, WhatFindsNoRoomIsCountedByTheKernel) {
  const auto events = PerfEvents::Open({threads::OwnTid()}, 1000, 1);
  if (!events.ok()) GTEST_SKIP() << events.status();
  const size_t cpus = (*events)->rings().size();
  const size_t room = (*events)->samples_per_ring() * cpus;
  UseCpu(static_cast<int64_t>(room + 20) * (*events)->period_ns());
  const auto read = [&] {
    int64_t lost = 0;
    for (PerfRing& ring : (*events)->rings()) {
      ring.Read([&](const PerfRecord& record) {
        lost += ParsePerfLost(record).value_or(0);
      });
    }
    return lost;
  };
  EXPECT_EQ(read(), 0) << "it is told when there is room again";
  int64_t lost = 0;
  for (int i = 0; i < 100 && lost == 0; ++i) {
    UseCpu(10 * (*events)->period_ns());
    lost = read();
  }
  EXPECT_GT(lost, 0);
}

TEST(PerfEventsTest, DescriptorsHaveALimit) {
  EXPECT_EQ(StatusOfChild([] {
              const rlimit few = {65, 65};
              setrlimit(RLIMIT_NOFILE, &few);
              const std::vector<threads::Tid> threads(2, threads::OwnTid());
              const auto events = PerfEvents::Open(threads, 99, kPlenty);
              return absl::IsResourceExhausted(events.status()) ? 0 : 1;
            }),
            0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST(PerfEventsTest, ARefusalIsTheSystemsError) {
  EXPECT_EQ(StatusOfChild([] {
              if (!Withhold({SYS_perf_event_open}, EACCES)) return 2;
              const auto events =
                  PerfEvents::Open({threads::OwnTid()}, 99, kPlenty);
              return absl::IsPermissionDenied(events.status()) ? 0 : 1;
            }),
            0);
}

#endif

}  // namespace
}  // namespace wallprof::capture
