// What is measured of CPU time where the kernel gives less than it might.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/capture/collected.h"
#include "tests/capture/cpu/computing.h"
#include "tests/capture/withhold.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

bool Says(const Statistics& stats, const std::string& what) {
  for (const Degradation& each : stats.degraded) {
    if (each.what == what) return true;
  }
  return false;
}

// What a child found, as an exit status.
enum Wrong { kNotWithheld = 1, kNotSaid = 2, kNotSeen = 4, kNotLeftAlone = 8 };

TEST(CpuRefusedTest, WithoutPerfEventsThreadsAreLookedAtWhileAnyRuns) {
  EXPECT_EQ(StatusOfChild([] {
              if (!Withhold({SYS_perf_event_open}, EACCES))
                return +kNotWithheld;
              Profiling profiling(CpuOnly(200));
              profiling.Collect(absl::Milliseconds(1));
              int wrong = 0;
              {
                Computing computing("computing");
                const Collected collected = profiling.Collect(absl::Seconds(1));
                const auto seen = collected.Sum(Collected::Frame("Compute("));
                const auto all = collected.Sum(Collected::Thread("computing"));
                if (seen.cpu_ns < all.cpu_ns / 2 || seen.samples == 0) {
                  fprintf(stderr, "%s", collected.Text().c_str());
                  wrong |= kNotSeen;
                }
              }
              const Statistics before = profiling->Stats();
              if (!Says(before, "perf-events") || before.source != "looks") {
                wrong |= kNotSaid;
              }
              poll(nullptr, 0, 300);
              const Statistics after = profiling->Stats();
              // Where nobody runs, nobody is looked at; but a look has a tail.
              if (after.ticks - before.ticks < 30 ||
                  after.unchanged - before.unchanged >
                      (after.ticks - before.ticks) / 4) {
                wrong |= kNotLeftAlone;
              }
              return wrong;
            }),
            0);
}

// As most programs run.
TEST(CpuRefusedTest, WithoutPrivilegesTheKernelIsNotSeen) {
  if (geteuid() != 0) GTEST_SKIP() << "has none to give up";
  EXPECT_EQ(
      StatusOfChild([] {
        constexpr int kNobody = 65534;
        if (setresgid(kNobody, kNobody, kNobody) != 0 ||
            setresuid(kNobody, kNobody, kNobody) != 0) {
          return +kNotWithheld;
        }
        Profiling profiling(CpuOnly());
        if (!HasPerfEvents(*profiling)) return 0;
        LongPart(100'000'000);
        const Collected collected(*profiling->Snapshot());
        int wrong = 0;
        if (collected.Sum(Collected::Frame("LongPart(")).cpu_ns < 70'000'000) {
          wrong |= kNotSeen;
        }
        const bool kernel =
            collected.Sum(Collected::Frame("[kernel]")).samples > 0;
        if (kernel == Says(profiling->Stats(), "perf-kernel")) {
          wrong |= kNotSaid;
        }
        return wrong;
      }),
      0);
}

#endif

}  // namespace
}  // namespace wallprof::capture
