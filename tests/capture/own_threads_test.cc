#include "profiler/capture/own_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "profiler/threads/cpu_clock.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::capture {
namespace {

using threads::OwnTid;
using threads::Tid;

constexpr size_t kStack = 256 << 10;

// Descriptors of this process, as it sees them itself.
std::set<std::string> ProgramsDescriptors() {
  std::set<std::string> found;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    found.insert(entry.path().filename());
  }
  return found;
}

TEST(OwnThreadsTest, RunsTheBodyOnAThreadThatIsKnown) {
  OwnThreads threads;
  std::atomic<Tid> tid{0};
  std::atomic<bool> go_on{false};
  std::string name(16, 0);
  ASSERT_TRUE(threads
                  .Start("a-name-that-is-too-long", kStack,
                         [&] {
                           pthread_getname_np(pthread_self(), name.data(), 16);
                           tid = OwnTid();
                           while (!go_on) usleep(100);
                         })
                  .ok());
  while (tid == 0) usleep(100);
  EXPECT_NE(tid, OwnTid());
  EXPECT_TRUE(threads.Contains(tid));
  EXPECT_TRUE(threads.MayContain(tid));
  EXPECT_FALSE(threads.Contains(OwnTid()));
  EXPECT_STREQ(name.c_str(), "a-name-that-is-");
  go_on = true;
}

TEST(OwnThreadsTest, IsKnownBeforeStartReturns) {
  OwnThreads threads;
  for (int i = 0; i < 100; ++i) {
    std::atomic<Tid> tid{0};
    ASSERT_TRUE(threads.Start("own", kStack, [&] { tid = OwnTid(); }).ok());
    while (tid == 0) usleep(10);
    EXPECT_TRUE(threads.Contains(tid));
  }
}

TEST(OwnThreadsTest, EndedOnesAreKnownUntilTheyAreNoLongerListed) {
  OwnThreads threads;
  std::atomic<Tid> tid{0};
  ASSERT_TRUE(threads.Start("own", kStack, [&] { tid = OwnTid(); }).ok());
  while (tid == 0) usleep(100);
  while (threads::CpuTimeOf(tid) >= 0) usleep(100);  // until it has ended
  threads.Prune({tid});
  EXPECT_TRUE(threads.Contains(tid)) << "it is still seen";
  threads.Prune({});
  EXPECT_FALSE(threads.Contains(tid));
}

TEST(OwnThreadsTest, EndedOnesAreForgottenByTheirNumbers) {
  OwnThreads threads;
  std::atomic<Tid> tid{0};
  ASSERT_TRUE(threads.Start("own", kStack, [&] { tid = OwnTid(); }).ok());
  while (tid == 0) usleep(100);
  while (threads::CpuTimeOf(tid) >= 0) usleep(100);
  EXPECT_EQ(threads.AllEnded(), std::vector<Tid>{tid});
  threads.Forget({});
  EXPECT_TRUE(threads.Contains(tid));
  threads.Forget({tid});
  EXPECT_FALSE(threads.Contains(tid));
  EXPECT_TRUE(threads.AllEnded().empty());
}

TEST(OwnThreadsTest, RunningOnesAreNeverForgotten) {
  OwnThreads threads;
  std::atomic<Tid> tid{0};
  std::atomic<bool> go_on{false};
  ASSERT_TRUE(threads
                  .Start("own", kStack,
                         [&] {
                           tid = OwnTid();
                           while (!go_on) usleep(100);
                         })
                  .ok());
  while (tid == 0) usleep(100);
  threads.Prune({});
  threads.Forget({tid});
  EXPECT_TRUE(threads.Contains(tid));
  EXPECT_TRUE(threads.AllEnded().empty());
  go_on = true;
}

TEST(OwnThreadsTest, DestructorWaitsForAll) {
  std::atomic<int> ended{0};
  {
    OwnThreads threads;
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(threads
                      .Start("own", kStack,
                             [&] {
                               usleep(20'000);
                               ++ended;
                             })
                      .ok());
    }
  }
  EXPECT_EQ(ended, 5);
}

TEST(OwnThreadsTest, BodyIsDestroyedOnItsThreadOnceItHasRun) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  {
    OwnThreads threads;
    ASSERT_TRUE(
        threads.Start("own", kStack, [owned = std::move(owned)] {}).ok());
  }
  EXPECT_TRUE(watch.expired());
}

TEST(OwnThreadsTest, CpuTimeIncludesThatOfEndedOnes) {
  OwnThreads threads;
  EXPECT_EQ(threads.CpuTimeNs(), 0);
  std::atomic<bool> ended{false};
  ASSERT_TRUE(threads
                  .Start("own", kStack,
                         [&] {
                           while (threads::CpuTimeOf(OwnTid()) < 20'000'000) {
                           }
                           ended = true;
                         })
                  .ok());
  while (!ended) usleep(1000);
  usleep(20'000);
  EXPECT_GE(threads.CpuTimeNs(), 20'000'000);
}

TEST(OwnThreadsTest, KeptOnesAreUsedAgainAndNeverEnd) {
  std::atomic<Tid> first{0}, second{0}, larger{0};
  {
    OwnThreads threads(/*keep=*/true);
    const auto idle = [&](Tid tid) {
      threads::ProcText text;
      return threads::TaskDirectory().Read(tid, "comm", text) &&
             text.text() == "wallprof-idle\n";
    };
    ASSERT_TRUE(threads.Start("own", kStack, [&] { first = OwnTid(); }).ok());
    while (first == 0 || !idle(first)) usleep(100);
    ASSERT_TRUE(threads.Start("own", kStack, [&] { second = OwnTid(); }).ok());
    while (second == 0 || !idle(second)) usleep(100);
    EXPECT_EQ(second, first);
    EXPECT_TRUE(threads.Contains(first));
    ASSERT_TRUE(
        threads.Start("own", 2 * kStack, [&] { larger = OwnTid(); }).ok());
    while (larger == 0) usleep(100);
    EXPECT_NE(larger, first) << "its stack is too small";
  }
  EXPECT_EQ(syscall(SYS_tgkill, getpid(), first.load(), 0), 0)
      << "it outlives us, for good";
}

TEST(OwnThreadsTest, EachIdleOneIsReached) {
  std::mutex mutex;
  std::multiset<Tid> started, reached;
  OwnThreads threads(/*keep=*/true);
  std::atomic<bool> go_on{false};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(threads
                    .Start("own", kStack,
                           [&] {
                             {
                               std::lock_guard lock(mutex);
                               started.insert(OwnTid());
                             }
                             while (!go_on) usleep(100);
                           })
                    .ok());
  }
  const auto reach = [&] {
    {
      std::lock_guard lock(mutex);
      reached.clear();
    }
    threads.OnEachIdle([&] {
      std::lock_guard lock(mutex);
      reached.insert(OwnTid());
    });
    usleep(20'000);  // it returned when the last one had begun
    std::lock_guard lock(mutex);
    return reached;
  };
  EXPECT_EQ(reach().size(), 0u) << "all are at work";
  go_on = true;
  const auto all_reached = [&] {
    std::lock_guard lock(mutex);
    return reached.size() == 3;
  };
  while (!all_reached()) usleep(100);
  EXPECT_EQ(reached, started) << "when they had nothing to do any more";
  EXPECT_EQ(reach(), started) << "each once";
}

TEST(OwnThreadsTest, OneThatCannotBeStartedIsAnError) {
  OwnThreads threads;
  const absl::Status status = threads.Start("own", size_t{1} << 60, [] {});
  EXPECT_FALSE(status.ok());
}  // and the destructor does not wait for it

// --- signals -----------------------------------------------------------------

TEST(OwnThreadsTest, SignalsAreBlockedFromTheStart) {
  OwnThreads threads;
  std::atomic<uint64_t> mask{0};
  ASSERT_TRUE(
      threads
          .Start("own", kStack,
                 [&] {
                   threads::ProcText text;
                   threads::TaskDirectory().Read(OwnTid(), "status", text);
                   mask = threads::ParseBlockedSignals(text.text()).value_or(0);
                 })
          .ok());
  while (mask == 0) usleep(100);
  for (const int signal : {SIGTERM, SIGINT, SIGURG, SIGCHLD, SIGALRM, SIGPROF,
                           SIGUSR1, SIGRTMIN, SIGRTMAX}) {
    EXPECT_TRUE((mask >> (signal - 1)) & 1) << signal;
  }
  // Those below SIGRTMIN that libc keeps for itself: with them setuid waits
  // for every thread.
  EXPECT_FALSE((mask >> (33 - 1)) & 1);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0) << "the starter's mask is as it was";
}

TEST(OwnThreadsTest, SetuidDoesNotHang) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(30);
    OwnThreads threads;
    std::atomic<bool> done{false};
    if (!threads
             .Start("own", kStack,
                    [&] {
                      while (!done) usleep(100);
                    })
             .ok()) {
      _exit(1);
    }
    const bool set = setuid(getuid()) == 0 && setgid(getgid()) == 0;
    done = true;
    _exit(set ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// --- scheduling --------------------------------------------------------------

TEST(OwnThreadsTest, RunsWhereTheMainThreadMay) {
  cpu_set_t main_cpus;
  ASSERT_EQ(sched_getaffinity(getpid(), sizeof(main_cpus), &main_cpus), 0);
  if (CPU_COUNT(&main_cpus) < 2) GTEST_SKIP() << "there is one CPU";
  OwnThreads threads;
  std::atomic<int> cpus{0};
  std::thread([&] {
    // A thread of the program that has pinned itself.
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &main_cpus)) CPU_SET(cpu, &one);
    }
    sched_setaffinity(0, sizeof(one), &one);
    EXPECT_TRUE(threads
                    .Start("own", kStack,
                           [&] {
                             cpu_set_t mine;
                             sched_getaffinity(0, sizeof(mine), &mine);
                             cpus = CPU_COUNT(&mine);
                           })
                    .ok());
  }).join();
  while (cpus == 0) usleep(100);
  EXPECT_EQ(cpus, CPU_COUNT(&main_cpus));
}

// --- descriptors -------------------------------------------------------------

TEST(PrivateDescriptorTableTest, ProgramAndProfilerDoNotShareDescriptors) {
  const int programs = memfd_create("program", MFD_CLOEXEC);
  const std::set<std::string> before = ProgramsDescriptors();
  std::atomic<bool> opened{false}, done{false};
  std::atomic<int> programs_error{0}, inherited_error{0};
  OwnThreads threads;
  ASSERT_TRUE(threads
                  .Start("own", kStack,
                         [&] {
                           ASSERT_TRUE(EnterPrivateDescriptorTable());
                           errno = 0;
                           fcntl(programs, F_GETFD);
                           programs_error = errno;
                           const int mine = memfd_create("mine", MFD_CLOEXEC);
                           // One that this one starts has the same table.
                           std::atomic<bool> looked{false};
                           ASSERT_TRUE(threads
                                           .Start("second", kStack,
                                                  [&] {
                                                    errno = 0;
                                                    fcntl(mine, F_GETFD);
                                                    inherited_error = errno;
                                                    looked = true;
                                                  })
                                           .ok());
                           for (int i = 0; i < 50; ++i) {
                             memfd_create("another", MFD_CLOEXEC);
                           }
                           opened = true;
                           while (!done || !looked) usleep(100);
                         })
                  .ok());
  while (!opened) usleep(100);
  EXPECT_EQ(ProgramsDescriptors(), before);
  EXPECT_EQ(programs_error, EBADF);
  EXPECT_EQ(inherited_error, 0);
  done = true;
  close(programs);
}

TEST(PrivateDescriptorTableTest, StandardStreamsLeadNowhere) {
  std::atomic<bool> done{false};
  std::string targets[3];
  OwnThreads threads;
  ASSERT_TRUE(threads
                  .Start("own", kStack,
                         [&] {
                           EnterPrivateDescriptorTable();
                           for (int fd = 0; fd < 3; ++fd) {
                             targets[fd] = std::filesystem::read_symlink(
                                 "/proc/thread-self/fd/" + std::to_string(fd));
                           }
                           done = true;
                         })
                  .ok());
  while (!done) usleep(100);
  for (const std::string& target : targets) EXPECT_EQ(target, "/dev/null");
}

TEST(PrivateDescriptorTableTest, ReadersOfClosedPipesSeeTheirEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<bool> entered{false}, done{false};
  OwnThreads threads;
  ASSERT_TRUE(threads
                  .Start("own", kStack,
                         [&] {
                           EnterPrivateDescriptorTable();
                           entered = true;
                           while (!done) usleep(100);
                         })
                  .ok());
  while (!entered) usleep(100);
  close(ends[1]);
  pollfd end = {ends[0], POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, 10'000), 1);
  EXPECT_TRUE(end.revents & POLLHUP);
  done = true;
  close(ends[0]);
}

}  // namespace
}  // namespace wallprof::capture
