// What the kernel withholds, and what is done instead: each withheld once from
// a child of this process.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/collected.h"
#include "tests/capture/withhold.h"

namespace wallprof::capture {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// The process may no longer look into itself: it has no privileges, and its
// files in procfs belong to root.
bool BecomeNonDumpable() {
  constexpr int kNobody = 65534;
  if (geteuid() == 0 && (setresgid(kNobody, kNobody, kNobody) != 0 ||
                         setresuid(kNobody, kNobody, kNobody) != 0)) {
    return false;
  }
  return prctl(PR_SET_DUMPABLE, 0) == 0;
}

__attribute__((noinline)) void NapHere(const std::atomic<bool>& done) {
  while (!done) poll(nullptr, 0, 20);
}

// What a child's profiler found, as an exit status: bits for what is wrong.
enum Wrong {
  kNotWithheld = 1,
  kNotSaid = 2,
  kComputingNotSeen = 4,
  kNappingNotSeen = 8,
  kTimeLost = 16,
};

int Profile(const std::string& degraded) {
  std::atomic<bool> done{false};
  std::thread napping([&] {
    NameThread("napping");
    NapHere(done);
  });
  std::thread computing([&] {
    NameThread("computing");
    poll(nullptr, 0, 1);
    Compute([&] { return done.load(); });
  });
  Profiling profiling;
  profiling.Collect(absl::Milliseconds(700));
  const Collected collected = profiling.Collect(absl::Seconds(1));
  bool said = degraded.empty();
  for (const Degradation& each : profiling->Stats().degraded) {
    said |= each.what == degraded;
    fprintf(stderr, "%s: %s, %s\n", each.what.c_str(), each.why.c_str(),
            each.instead.c_str());
  }
  done = true;
  napping.join();
  computing.join();
  const auto in = [&](const char* thread, const char* frame) {
    return collected
        .Sum([&](const NamedSample& sample) {
          return sample.label("thread") == thread && sample.has(frame);
        })
        .wall_ns;
  };
  constexpr int64_t kMost = 700'000'000;
  int wrong = said ? 0 : kNotSaid;
  if (in("computing", "Compute(") < kMost) wrong |= kComputingNotSeen;
  if (in("napping", "NapHere(") < kMost) wrong |= kNappingNotSeen;
  if (collected.Sum(Collected::Thread("napping")).wall_ns < kMost) {
    wrong |= kTimeLost;
  }
  if (wrong != 0) fprintf(stderr, "%s", collected.Text().c_str());
  return wrong;
}

TEST(FallbackTest, WithoutCloseRangeTheTableIsPrivateAllTheSame) {
  EXPECT_EQ(StatusOfChild([] {
              if (!Withhold({SYS_close_range}, ENOSYS)) return +kNotWithheld;
              return Profile("");
            }),
            0);
}

TEST(FallbackTest, WithoutCpuTimersRunningThreadsAreSignalled) {
  EXPECT_EQ(StatusOfChild([] {
              if (!Withhold({SYS_timer_create}, EPERM)) return +kNotWithheld;
              return Profile("cpu-timer");
            }),
            0);
}

TEST(FallbackTest, WithoutTheSyscallFileThreadsAreAskedWhenTheyHaveRun) {
  EXPECT_EQ(StatusOfChild([] {
              if (!BecomeNonDumpable()) return +kNotWithheld;
              return Profile("procfs-syscall");
            }),
            0);
}

// Neither way to read memory. What threads answer is still unwound, but with
// the unwind tables that were read before, and these are none.
TEST(FallbackTest, WithoutMemoryTimeIsNotLost) {
  EXPECT_EQ(
      StatusOfChild([] {
        if (!BecomeNonDumpable() || !Withhold({SYS_process_vm_readv}, EPERM)) {
          return +kNotWithheld;
        }
        return Profile("proc-mem") & ~(kComputingNotSeen | kNappingNotSeen);
      }),
      0);
}

#endif

}  // namespace
}  // namespace wallprof::capture
