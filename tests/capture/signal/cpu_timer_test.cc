#include "profiler/capture/signal/cpu_timer.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/capture/signal/handled_signal.h"

namespace wallprof::capture {
namespace {

// A thread that sleeps in poll until it is told to compute.
class Sleeper {
 public:
  Sleeper() : thread_([this] { Run(); }) {
    while (tid_ == 0) std::this_thread::yield();
  }
  ~Sleeper() {
    compute_ = true;
    done_ = true;
    thread_.join();
  }

  pid_t tid() const { return tid_; }
  void Compute() { compute_ = true; }
  int interruptions() const { return interruptions_; }

 private:
  void Run() {
    tid_ = OwnTid();
    while (!compute_) {
      if (poll(nullptr, 0, 5) != 0) ++interruptions_;
    }
    while (!done_) {
    }
  }

  std::atomic<pid_t> tid_{0};
  std::atomic<bool> compute_{false};
  std::atomic<bool> done_{false};
  std::atomic<int> interruptions_{0};
  std::thread thread_;
};

class CpuTimerTest : public ::testing::Test {
 protected:
  CpuTimerTest() : program_(SIGURG, DefaultAction()) {
    EXPECT_EQ(InstallHandler(SIGURG), 0);
    request_.state = Request::kIdle;
  }

  // Whether the request is answered within `seconds`.
  bool Answered(int seconds) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < deadline) {
      if (request_.state == Request::kDone) return true;
      usleep(1000);
    }
    return request_.state == Request::kDone;
  }

  const ScopedAction program_;
  Request& request_ = PublishedRequests()[0];
  CpuTimer timer_;
};

TEST_F(CpuTimerTest, SignalsAThreadThatComputes) {
  Sleeper sleeper;
  sleeper.Compute();
  ASSERT_EQ(timer_.Create(sleeper.tid(), SIGURG, &request_), 0);
  EXPECT_TRUE(timer_.exists());
  for (int i = 0; i < 5; ++i) {
    request_.state = Request::kArmed;
    ASSERT_EQ(timer_.Arm(), 0);
    ASSERT_TRUE(Answered(30));
  }
}

TEST_F(CpuTimerTest, DoesNotDisturbAThreadThatWaits) {
  Sleeper sleeper;
  ASSERT_EQ(timer_.Create(sleeper.tid(), SIGURG, &request_), 0);
  for (int i = 0; i < 50; ++i) {
    if (request_.state != Request::kArmed) {
      request_.state = Request::kArmed;
      ASSERT_EQ(timer_.Arm(), 0);
    }
    usleep(5000);
  }
  EXPECT_EQ(sleeper.interruptions(), 0);
  // It comes once the thread computes.
  request_.state = Request::kArmed;
  ASSERT_EQ(timer_.Arm(), 0);
  sleeper.Compute();
  EXPECT_TRUE(Answered(30));
}

TEST_F(CpuTimerTest, DisarmedItSendsNothing) {
  Sleeper sleeper;
  ASSERT_EQ(timer_.Create(sleeper.tid(), SIGURG, &request_), 0);
  request_.state = Request::kArmed;
  ASSERT_EQ(timer_.Arm(), 0);
  timer_.Disarm();
  // What was under way before it was disarmed has come by now.
  usleep(50'000);
  request_.state = Request::kArmed;
  sleeper.Compute();
  usleep(100'000);
  EXPECT_EQ(request_.state, Request::kArmed);
}

TEST_F(CpuTimerTest, DeletedItSendsNothing) {
  Sleeper sleeper;
  ASSERT_EQ(timer_.Create(sleeper.tid(), SIGURG, &request_), 0);
  timer_.Delete();
  EXPECT_FALSE(timer_.exists());
  EXPECT_EQ(timer_.Arm(), EINVAL);
  timer_.Delete();
  timer_.Disarm();
}

TEST_F(CpuTimerTest, OfAThreadThatIsGoneCannotBeMade) {
  pid_t ended = 0;
  std::thread([&] { ended = OwnTid(); }).join();
  int error = 0;
  // Joined, it may still be on its way out for a moment.
  for (int i = 0; i < 1000 && error == 0; ++i) {
    error = timer_.Create(ended, SIGURG, &request_);
    usleep(1000);
  }
  EXPECT_EQ(error, EINVAL);
  EXPECT_FALSE(timer_.exists());
}

TEST_F(CpuTimerTest, IsRefusedWhenNoMoreSignalsMayBePending) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit none = {0, 0};
    setrlimit(RLIMIT_SIGPENDING, &none);
    CpuTimer timer;
    _exit(timer.Create(OwnTid(), SIGURG, nullptr) == EAGAIN ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(CpuTimerTest, CreatingAnewReplacesTheOldOne) {
  Sleeper first, second;
  second.Compute();
  ASSERT_EQ(timer_.Create(first.tid(), SIGURG, &request_), 0);
  ASSERT_EQ(timer_.Create(second.tid(), SIGURG, &request_), 0);
  request_.state = Request::kArmed;
  ASSERT_EQ(timer_.Arm(), 0);
  EXPECT_TRUE(Answered(30));
}

TEST(SignalThreadTest, ReachesOneThread) {
  const ScopedAction program(SIGURG, DefaultAction());
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  Request& request = PublishedRequests()[0];
  Sleeper sleeper;
  sleeper.Compute();
  request.state = Request::kArmed;
  ASSERT_EQ(SignalThread(sleeper.tid(), SIGURG, &request), 0);
  for (int i = 0; i < 30'000 && request.state != Request::kDone; ++i) {
    usleep(1000);
  }
  EXPECT_EQ(request.state, Request::kDone);
  EXPECT_NE(request.thread_pointer, pthread_self());
}

TEST(SignalThreadTest, OfNoThreadOfThisProcessFails) {
  EXPECT_EQ(SignalThread(1, SIGURG, nullptr), ESRCH);
}

}  // namespace
}  // namespace wallprof::capture
