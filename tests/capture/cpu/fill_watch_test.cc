#include "profiler/capture/cpu/fill_watch.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "tests/capture/collected.h"
#include "tests/capture/withhold.h"

namespace wallprof::capture {
namespace {

// Pipes in place of events: they are ready, and hang up, likewise.
class FillWatchTest : public ::testing::Test {
 protected:
  FillWatchTest() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    read_ = threads::FileDescriptor(ends[0]);
    write_ = threads::FileDescriptor(ends[1]);
  }

  // Each time it empties the pipe, as reading a buffer does.
  void OnWake() {
    char byte;
    EXPECT_EQ(read(read_.get(), &byte, 1), hung_up_ ? 0 : 1);
    wakes_.fetch_add(1);
    wakes_.notify_all();
  }

  OwnThreads own_threads_;
  threads::FileDescriptor read_;
  threads::FileDescriptor write_;
  std::atomic<bool> hung_up_{false};
  std::atomic<int> wakes_{0};
};

TEST_F(FillWatchTest, WakesEachTimeThatThereIsSomething) {
  FillWatch watch(own_threads_, {read_.get()}, [this] { OnWake(); });
  EXPECT_TRUE(watch.works());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(write(write_.get(), "x", 1), 1);
    wakes_.wait(i);
    EXPECT_EQ(wakes_, i + 1);
  }
  EXPECT_TRUE(watch.works());
}

TEST_F(FillWatchTest, AnEventWithoutThreadsIsToldOnceAndForgotten) {
  FillWatch watch(own_threads_, {read_.get()}, [this] { OnWake(); });
  hung_up_ = true;
  write_.Close();
  wakes_.wait(0);
  EXPECT_FALSE(watch.works());
  usleep(20'000);
  EXPECT_EQ(wakes_, 1) << "it would be ready for ever";
}

TEST_F(FillWatchTest, WhatIsToBeDoneIsDoneOnItsThreadWithoutAWake) {
  FillWatch watch(own_threads_, {read_.get()}, [this] { OnWake(); });
  for (int i = 0; i < 3; ++i) {
    std::atomic<threads::Tid> tid{0};
    watch.Do([&] {
      tid = threads::OwnTid();
      tid.notify_all();
    });
    tid.wait(0);
    EXPECT_NE(tid, threads::OwnTid());
    EXPECT_TRUE(own_threads_.Contains(tid));
  }
  EXPECT_TRUE(watch.works());
  EXPECT_EQ(wakes_, 0);
}

// The kernel polls no more descriptors than there may be.
TEST_F(FillWatchTest, ALowerLimitOnDescriptorsEndsItAndIsTold) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  {
    FillWatch watch(own_threads_, {read_.get()}, [this] {
      wakes_.fetch_add(1);
      wakes_.notify_all();
    });
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    watch.Do([] {});  // the wait that is under way has been let in
    wakes_.wait(0);
    EXPECT_FALSE(watch.works());
    EXPECT_EQ(wakes_, 1);
  }
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// A program may forbid all its threads what it does not need itself.
TEST(FillWatchRefusedTest, EndsWhereACallIsRefused) {
  for (const int call : {SYS_write, SYS_read, SYS_poll}) {
    EXPECT_EQ(StatusOfChild([call] {
                OwnThreads own_threads;
                if (!Withhold({call}, EPERM)) return 1;
                FillWatch watch(own_threads, {}, [] {});
                watch.Do([] {});
                return 0;
              }),
              0)
        << call;
  }
}

#endif

}  // namespace
}  // namespace wallprof::capture
