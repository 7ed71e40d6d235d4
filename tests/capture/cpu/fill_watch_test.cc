#include "profiler/capture/cpu/fill_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

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

}  // namespace
}  // namespace wallprof::capture
