#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "profiler/capture/signal/handler.h"
#include "profiler/unwind/stack_copy.h"
#include "tests/capture/signal/handled_signal.h"

namespace wallprof::capture {
namespace {

constexpr uint64_t kPage = 4096;

class HandlerTest : public ::testing::Test {
 protected:
  HandlerTest() : program_(SIGURG, DefaultAction()) {
    EXPECT_EQ(InstallHandler(SIGURG), 0);
    for (int i = 0; i < 2; ++i) {
      requests_[i].state = Request::kIdle;
      requests_[i].stack_low = requests_[i].stack_high = 0;
      requests_[i].labels = nullptr;
    }
  }

  int64_t stale() const { return GetSignalTallies().stale; }
  int64_t foreign() const { return GetSignalTallies().foreign; }

  const ScopedAction program_;
  Request* const requests_ = PublishedRequests();
  Request& request_ = requests_[1];
};

TEST_F(HandlerTest, IsInstalledForAnyStackAndRestartsCalls) {
  struct sigaction installed;
  sigaction(SIGURG, nullptr, &installed);
  EXPECT_EQ(installed.sa_flags & (SA_SIGINFO | SA_RESTART | SA_ONSTACK),
            SA_SIGINFO | SA_RESTART | SA_ONSTACK);
  EXPECT_EQ(installed.sa_flags & (SA_RESETHAND | SA_NODEFER), 0);
  EXPECT_EQ(sigismember(&installed.sa_mask, SIGALRM), 1)
      << "nothing may run on top";
  EXPECT_TRUE(HandlerIsOurs(SIGURG));
  EXPECT_FALSE(HandlerIsOurs(SIGWINCH));
}

TEST_F(HandlerTest, CannotBeInstalledForWhatCannotBeCaught) {
  EXPECT_EQ(InstallHandler(SIGKILL), EINVAL);
  EXPECT_EQ(InstallHandler(1000), EINVAL);
}

TEST_F(HandlerTest, AnswersWithTheRegistersOfTheInterruptedThread) {
  int local = 0;
  AskSelf(request_);
  ASSERT_EQ(request_.state, Request::kDone);
  const uint64_t sp = request_.registers[unwind::kRsp];
  const auto here = reinterpret_cast<uint64_t>(&local);
  EXPECT_LT(sp > here ? sp - here : here - sp, 64u << 10);
  // In libc, right behind the system call that sent the signal.
  const auto* code =
      reinterpret_cast<const uint8_t*>(request_.registers[unwind::kRip]);
  EXPECT_EQ(code[-2], 0x0f);
  EXPECT_EQ(code[-1], 0x05);
  EXPECT_EQ(request_.registers[unwind::kRdi], static_cast<uint64_t>(getpid()));
  EXPECT_EQ(request_.registers[unwind::kRsi], static_cast<uint64_t>(OwnTid()));
  EXPECT_EQ(request_.thread_pointer, pthread_self());
}

TEST_F(HandlerTest, AnswersHaveTheCountOfModules) {
  AskSelf(request_);
  EXPECT_EQ(request_.modules_added, 0u) << "none is published";
  static uint64_t added = 7;
  PublishModulesAdded(&added);
  AskSelf(request_);
  EXPECT_EQ(request_.modules_added, 7u);
  added = 8;
  AskSelf(request_);
  EXPECT_EQ(request_.modules_added, 8u);
  PublishModulesAdded(nullptr);
}

TEST_F(HandlerTest, WithoutBoundsCopiesToTheEndOfThePage) {
  AskSelf(request_);
  ASSERT_EQ(request_.state, Request::kDone);
  const uint64_t sp = request_.registers[unwind::kRsp];
  EXPECT_EQ(request_.stack_size, kPage - sp % kPage);
}

TEST_F(HandlerTest, WithinBoundsCopiesTheStackToItsEnd) {
  char marker[32] = "a marker on the callers stack";
  const auto here = reinterpret_cast<uint64_t>(marker);
  request_.stack_low = here - (64 << 10);
  request_.stack_high = here + sizeof(marker);
  AskSelf(request_);
  ASSERT_EQ(request_.state, Request::kDone);
  const uint64_t sp = request_.registers[unwind::kRsp];
  ASSERT_EQ(request_.stack_size, request_.stack_high - sp);
  EXPECT_EQ(memcmp(request_.stack + (here - sp), marker, sizeof(marker)), 0);
}

TEST_F(HandlerTest, BoundsOfAnotherStackAreNotTrusted) {
  // SP is not in them: it runs on a stack that the sampler has not seen.
  request_.stack_low = 0x1000;
  request_.stack_high = 0x100000;
  AskSelf(request_);
  ASSERT_EQ(request_.state, Request::kDone);
  EXPECT_EQ(request_.stack_size,
            kPage - request_.registers[unwind::kRsp] % kPage);
}

__attribute__((noinline)) void AskDeep(Request& request, int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) {
    AskSelf(request);
  } else {
    AskDeep(request, depth - 1);
  }
  frame[1] = frame[0];
}

TEST_F(HandlerTest, DeepStacksAreCutToTheRequestsSize) {
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void* low;
  size_t size;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  request_.stack_low = reinterpret_cast<uint64_t>(low);
  request_.stack_high = request_.stack_low + size;
  AskDeep(request_, 40);
  ASSERT_EQ(request_.state, Request::kDone);
  EXPECT_EQ(request_.stack_size, Request::kStackBytes);
}

TEST_F(HandlerTest, AnswersWithTheThreadsLabels) {
  std::atomic<uint32_t> labels{77};
  request_.labels = &labels;
  AskSelf(request_);
  EXPECT_EQ(request_.label_set, 77u);
  request_.labels = nullptr;
  AskSelf(request_);
  EXPECT_EQ(request_.label_set, 0u);
}

TEST_F(HandlerTest, LeavesErrnoAsItWas) {
  errno = 12345;
  AskSelf(request_);
  EXPECT_EQ(errno, 12345);
  ASSERT_EQ(request_.state, Request::kDone);
  // Also where the program's own handler is not so careful.
  struct sigaction careless = {};
  careless.sa_handler = [](int) { errno = 1; };
  const ScopedAction program(SIGURG, careless);
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  const int64_t before = foreign();
  errno = 54321;
  raise(SIGURG);
  EXPECT_EQ(errno, 54321);
  EXPECT_EQ(foreign(), before + 1);
}

TEST_F(HandlerTest, OnlyAnArmedRequestIsAnswered) {
  for (const uint32_t state :
       {Request::kIdle, Request::kCopying, Request::kDone}) {
    const int64_t before = stale();
    request_.state = state;
    request_.stack_size = 1;
    SignalThread(OwnTid(), SIGURG, &request_);
    EXPECT_EQ(request_.state, state);
    EXPECT_EQ(request_.stack_size, 1u) << "nothing of it was touched";
    EXPECT_EQ(stale(), before + 1);
  }
}

TEST_F(HandlerTest, EachRequestIsAnsweredOnItsOwn) {
  requests_[0].state = Request::kArmed;
  requests_[1].state = Request::kArmed;
  SignalThread(OwnTid(), SIGURG, &requests_[1]);
  EXPECT_EQ(requests_[0].state, Request::kArmed);
  EXPECT_EQ(requests_[1].state, Request::kDone);
}

TEST_F(HandlerTest, PointersThatAreNoRequestsAreForeign) {
  request_.state = Request::kArmed;
  Request elsewhere = {};
  elsewhere.state = Request::kArmed;
  const int64_t before = foreign();
  for (void* value :
       {static_cast<void*>(nullptr), static_cast<void*>(&elsewhere),
        static_cast<void*>(requests_ + 2), static_cast<void*>(requests_ - 1),
        static_cast<void*>(reinterpret_cast<char*>(&request_) + 8)}) {
    SignalThread(OwnTid(), SIGURG, value);
  }
  EXPECT_EQ(foreign(), before + 5);
  EXPECT_EQ(request_.state, Request::kArmed);
  EXPECT_EQ(elsewhere.state, Request::kArmed);
}

TEST_F(HandlerTest, AThreadsOwnAlternateStackIsUsedAndNotCopied) {
  constexpr size_t kBytes = 64 << 10;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const stack_t alternate = {memory, 0, kBytes};
  stack_t before;
  ASSERT_EQ(sigaltstack(&alternate, &before), 0);
  AskSelf(request_);
  sigaltstack(&before, nullptr);
  ASSERT_EQ(request_.state, Request::kDone);
  const uint64_t sp = request_.registers[unwind::kRsp];
  const auto low = reinterpret_cast<uint64_t>(memory);
  EXPECT_FALSE(sp >= low && sp < low + kBytes) << "where the thread was";
  const std::vector<char> zeros(kBytes);
  EXPECT_NE(memcmp(memory, zeros.data(), kBytes), 0) << "where it ran";
  munmap(memory, kBytes);
}

// A system call that ends in EINTR as the signal comes is counted, whoever's
// fault it is.
TEST_F(HandlerTest, InterruptedSystemCallsAreCounted) {
  std::atomic<pid_t> tid{0};
  std::atomic<bool> interrupted{false};
  std::thread sleeper([&] {
    tid = OwnTid();
    timespec time = {100, 0};
    interrupted = nanosleep(&time, nullptr) != 0 && errno == EINTR;
  });
  while (tid == 0) std::this_thread::yield();
  const int64_t before = GetSignalTallies().eintr;
  request_.state = Request::kArmed;
  // nanosleep is the one that no handler lets go on. Again if it was too early.
  while (!interrupted) {
    usleep(10'000);
    SignalThread(tid, SIGURG, &request_);
  }
  sleeper.join();
  EXPECT_EQ(request_.state, Request::kDone);
#ifndef __SANITIZE_THREAD__  // which calls handlers later
  EXPECT_GE(GetSignalTallies().eintr, before);
#endif
}

TEST_F(HandlerTest, ProgramThatTakesTheSignalIsNoticed) {
  struct sigaction own = {};
  own.sa_handler = [](int) {};
  {
    const ScopedAction program(SIGURG, own);
    EXPECT_FALSE(HandlerIsOurs(SIGURG));
  }
  EXPECT_TRUE(HandlerIsOurs(SIGURG));
}

}  // namespace
}  // namespace wallprof::capture
