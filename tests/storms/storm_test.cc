#include "tests/storms/storm.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "absl/strings/str_join.h"

namespace wallprof::storms {
namespace {

using capture::Collected;
using capture::NamedSample;
using Done = std::function<bool()>;

// --- modules -----------------------------------------------------------------

// Two libraries take each other's place at one address; what is called in them
// blocks until it is given a byte.
void LoadAndUnload(const Done& done) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  std::thread feeder([&] {
    while (!done()) {
      ASSERT_EQ(write(ends[1], "x", 1), 1);
      usleep(1500);
    }
    ASSERT_EQ(write(ends[1], "xx", 2), 2);  // for who waits still
  });
  for (int i = 0; !done(); ++i) {
    void* library = dlopen(i % 2 == 0 ? GENERATION_A : GENERATION_B, RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    auto* entry =
        reinterpret_cast<int (**)(int)>(dlsym(library, "generation_entry"));
    EXPECT_EQ((*entry)(ends[0]), 'x' + 2);
    dlclose(library);
  }
  feeder.join();
  close(ends[0]);
  close(ends[1]);
}

TEST(StormTest, ModulesThatTakeEachOthersPlace) {
  const Collected collected = Rage({LoadAndUnload});
  int64_t seen = 0, cut = 0;
  for (const NamedSample& sample : collected.samples()) {
    const bool in_a = sample.has("generation_a");
    const bool in_b = sample.has("generation_b");
    EXPECT_FALSE(in_a && in_b) << "of two libraries that were never together";
    if (!in_a && !in_b) continue;
    seen += sample.wall_ns;
    if (sample.has("[truncated]")) cut += sample.wall_ns;
    for (size_t i = 0; i < sample.stack.size(); ++i) {
      if (sample.stack[i] != "generation_a_inner" &&
          sample.stack[i] != "generation_b_inner") {
        continue;
      }
      ASSERT_GT(i, 0u);
      EXPECT_TRUE(sample.stack[i - 1] == "generation_a_outer" ||
                  sample.stack[i - 1] == "generation_b_outer" ||
                  sample.stack[i - 1] == "[truncated]")
          << absl::StrJoin(sample.stack, ";") << " " << sample.label("state")
          << " " << sample.label("wait");
    }
  }
  EXPECT_GT(seen, 0) << collected.Text();
  EXPECT_LT(cut, seen / 10) << collected.Text();
}

// --- exceptions --------------------------------------------------------------

__attribute__((noinline)) int ThrowFrom(int depth) {
  if (depth == 0) throw std::runtime_error("from below");
  return ThrowFrom(depth - 1) + 1;
}

void ThrowAndCatch(const Done& done) {
  while (!done()) {
    try {
      ThrowFrom(20);
      ADD_FAILURE() << "an exception got lost";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "from below");
    }
  }
}

TEST(StormTest, Exceptions) {
  const Collected collected =
      Rage({ThrowAndCatch, ThrowAndCatch, ThrowAndCatch});
  EXPECT_GT(collected.Sum(Collected::Frame("ThrowAndCatch(")).wall_ns, 0)
      << collected.Text();
}

// --- processes ---------------------------------------------------------------

void ExpectEndsWell(pid_t child) {
  ASSERT_GT(child, 0);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child) << strerror(errno);
  EXPECT_EQ(status, 0);
}

void Fork(const Done& done) {
  while (!done()) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // a child that hangs is a failure
      // What is entitled to work in the child of a program with threads.
      void* library = dlopen(GENERATION_A, RTLD_NOW);
      _exit(library == nullptr ? 1 : 0);
    }
    ExpectEndsWell(child);
  }
}

void ForkAndExec(const Done& done) {
  while (!done()) {
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/true", "true", nullptr);
      _exit(1);
    }
    ExpectEndsWell(child);
  }
}

void VforkAndExec(const Done& done) {
  while (!done()) {
    const pid_t child = vfork();
    if (child == 0) {
      execl("/bin/true", "true", nullptr);
      _exit(1);
    }
    ExpectEndsWell(child);
  }
}

void Spawn(const Done& done) {
  while (!done()) {
    char name[] = "true";
    char* const arguments[] = {name, nullptr};
    pid_t child = 0;
    ASSERT_EQ(
        posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, environ),
        0);
    ExpectEndsWell(child);
  }
}

TEST(StormTest, Processes) { Rage({Fork, ForkAndExec, VforkAndExec, Spawn}); }

// --- threads -----------------------------------------------------------------

// About 1000 a second, by two.
void StartAndEndThreads(const Done& done) {
  while (!done()) {
    std::thread([] {
      for (int i = 0; i < 20'000; ++i) asm volatile("");
    }).join();
    usleep(1000);
  }
}

TEST(StormTest, Threads) { Rage({StartAndEndThreads, StartAndEndThreads}); }

// A stack with no room for a signal's frame, in use up to its end.
__attribute__((noinline)) void UseStack(const Done& done) {
  volatile char used[8000];
  for (size_t i = 0; i < sizeof(used); i += 64) used[i] = 1;
  for (int i = 0; i < 200 && !done(); ++i) {
    for (int k = 0; k < 20'000; ++k) asm volatile("");
    usleep(100);
  }
  used[0] = used[64];
}

void FillSmallStacks(const Done& done) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN), 0);
  while (!done()) {
    pthread_t thread;
    ASSERT_EQ(pthread_create(
                  &thread, &attributes,
                  [](void* argument) -> void* {
                    UseStack(*static_cast<const Done*>(argument));
                    return nullptr;
                  },
                  const_cast<Done*>(&done)),
              0);
    pthread_join(thread, nullptr);
  }
  pthread_attr_destroy(&attributes);
}

TEST(StormTest, SmallStacks) {
  Rage({FillSmallStacks, FillSmallStacks, FillSmallStacks});
}

// --- memory ------------------------------------------------------------------

void AllocateAndFree(const Done& done) {
  constexpr size_t kSlots = 100;
  void* slots[kSlots] = {};
  unsigned random = 1;
  while (!done()) {
    random = random * 1664525 + 1013904223;
    void*& slot = slots[random / 7 % kSlots];
    free(slot);
    // Now and then so large that it is mapped.
    slot = malloc(random % 64 == 0 ? 300'000 : random / 16 % 3000);
    ASSERT_NE(slot, nullptr);
    *static_cast<char*>(slot) = 1;
  }
  for (void* slot : slots) free(slot);
}

TEST(StormTest, Malloc) {
  Rage({AllocateAndFree, AllocateAndFree, AllocateAndFree});
}

// --- signals -----------------------------------------------------------------

void MaskAndUnmask(const Done& done) {
  sigset_t all, before;
  sigfillset(&all);
  while (!done()) {
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < 300'000; ++i) asm volatile("");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    for (int i = 0; i < 300'000; ++i) asm volatile("");
  }
}

// All signals are blocked and waited for: what comes is told.
void WaitForAllSignals(const Done& done) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  while (!done()) {
    const timespec wait = {0, 1'000'000};
    const int number = sigtimedwait(&all, nullptr, &wait);
    EXPECT_LE(number, 0) << "a signal that nobody sent";
    for (int i = 0; i < 300'000; ++i) asm volatile("");
  }
}

TEST(StormTest, Masks) {
  Rage({MaskAndUnmask, MaskAndUnmask, WaitForAllSignals});
}

std::atomic<int64_t> g_handled{0};

// One at a time, since signals of one number do not queue.
void SendAndAwait(const Done& done) {
  for (int64_t sent = 1; !done(); ++sent) {
    ASSERT_EQ(kill(getpid(), SIGURG), 0);
    for (int i = 0; i < 100'000 && g_handled < sent; ++i) usleep(20);
    ASSERT_EQ(g_handled, sent);
  }
}

TEST(StormTest, ProgramsOwnSignalsOfTheSameNumber) {
  struct sigaction own = {}, before;
  own.sa_handler = [](int) { g_handled.fetch_add(1); };
  own.sa_flags = SA_RESTART;
  sigaction(SIGURG, &own, &before);
  const auto compute = [](const Done& done) { capture::Compute(done); };
  Rage({SendAndAwait, compute, compute});
  EXPECT_GT(g_handled, 100);
  sigaction(SIGURG, &before, nullptr);
}

}  // namespace
}  // namespace wallprof::storms
