#include "profiler/capture/file_cache.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace wallprof::capture {
namespace {

using File = FileCache::File;
using threads::ProcText;
using threads::TaskDirectory;
using threads::Tid;

// A task directory of files, whose contents tell when they were opened.
class FakeTasks {
 public:
  FakeTasks() {
    std::string pattern =
        std::filesystem::temp_directory_path() / "filesXXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~FakeTasks() { std::filesystem::remove_all(root_); }

  // Replaces the thread's files by new ones; a descriptor of the old ones
  // still reads the old text.
  void Put(Tid tid, const std::string& text) {
    const std::string directory = root_ + "/" + std::to_string(tid);
    std::filesystem::create_directory(directory);
    for (const char* name : {"syscall", "schedstat"}) {
      const std::string path = directory + "/" + name;
      std::filesystem::remove(path);
      std::ofstream(path) << text << " " << name;
    }
  }
  void Remove(Tid tid) {
    std::filesystem::remove_all(root_ + "/" + std::to_string(tid));
  }
  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

class FileCacheTest : public ::testing::Test {
 protected:
  std::string Read(Tid tid, File file, int64_t tick) {
    ProcText text;
    if (!cache_.Read(tid, file, tick, text)) return "";
    return std::string(text.text());
  }

  FakeTasks fake_;
  TaskDirectory tasks_{fake_.root()};
  FileCache cache_{tasks_};
};

TEST_F(FileCacheTest, ReadsBothFilesOfAThread) {
  fake_.Put(1, "a");
  fake_.Put(2, "b");
  EXPECT_EQ(Read(1, File::kSyscall, 1), "a syscall");
  EXPECT_EQ(Read(1, File::kSchedStat, 1), "a schedstat");
  EXPECT_EQ(Read(2, File::kSyscall, 1), "b syscall");
  EXPECT_EQ(cache_.open_count(), 3u);
}

TEST_F(FileCacheTest, KeepsWhatItOpened) {
  fake_.Put(1, "first");
  EXPECT_EQ(Read(1, File::kSyscall, 1), "first syscall");
  fake_.Put(1, "other");
  EXPECT_EQ(Read(1, File::kSyscall, 2), "first syscall")
      << "by the descriptor, not by the path";
  cache_.Forget(1);
  EXPECT_EQ(cache_.open_count(), 0u);
  EXPECT_EQ(Read(1, File::kSyscall, 3), "other syscall");
}

TEST_F(FileCacheTest, MissingThreadIsAnErrorAndKeepsNothing) {
  ProcText text;
  EXPECT_FALSE(cache_.Read(9, File::kSyscall, 1, text));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(cache_.open_count(), 0u);
}

TEST_F(FileCacheTest, ForgettingOneLeavesTheOthers) {
  for (Tid tid = 1; tid <= 20; ++tid) {
    fake_.Put(tid, std::to_string(tid));
    Read(tid, File::kSyscall, 1);
    Read(tid, File::kSchedStat, 1);
  }
  for (Tid tid = 1; tid <= 20; tid += 2) cache_.Forget(tid);
  cache_.Forget(1000);
  EXPECT_EQ(cache_.open_count(), 20u);
  for (Tid tid = 1; tid <= 20; ++tid) fake_.Put(tid, "new");
  for (Tid tid = 2; tid <= 20; tid += 2) {
    EXPECT_EQ(Read(tid, File::kSyscall, 2), std::to_string(tid) + " syscall");
    EXPECT_EQ(Read(tid, File::kSchedStat, 2),
              std::to_string(tid) + " schedstat");
  }
}

TEST_F(FileCacheTest, NeverHoldsMoreThanItMay) {
  constexpr Tid kThreads = FileCache::kMaxOpen + 100;
  for (Tid tid = 1; tid <= kThreads; ++tid) {
    fake_.Put(tid, std::to_string(tid));
  }
  for (int64_t tick = 1; tick <= 3; ++tick) {
    for (Tid tid = 1; tid <= kThreads; ++tid) {
      ASSERT_EQ(Read(tid, File::kSyscall, tick),
                std::to_string(tid) + " syscall");
      ASSERT_LE(cache_.open_count(), FileCache::kMaxOpen);
    }
  }
}

TEST_F(FileCacheTest, ClosesWhatHasGoneOutOfUse) {
  constexpr Tid kFull = FileCache::kMaxOpen;
  for (Tid tid = 1; tid <= kFull + 1; ++tid) fake_.Put(tid, "first");
  for (Tid tid = 1; tid <= kFull; ++tid) Read(tid, File::kSyscall, 1);
  if (cache_.open_count() < kFull) GTEST_SKIP() << "RLIMIT_NOFILE is too low";
  // All but one are used again; then one more is, until it has a place.
  constexpr int64_t kLater = 1 + FileCache::kUnusedTicks + 1;
  for (Tid tid = 1; tid <= kFull; ++tid) {
    if (tid != 17) Read(tid, File::kSyscall, kLater);
  }
  for (Tid i = 0; i < kFull; ++i) Read(kFull + 1, File::kSyscall, kLater);
  for (Tid tid = 1; tid <= kFull + 1; ++tid) fake_.Put(tid, "other");
  EXPECT_EQ(Read(kFull + 1, File::kSyscall, kLater), "first syscall");
  EXPECT_EQ(Read(16, File::kSyscall, kLater), "first syscall");
  EXPECT_EQ(Read(17, File::kSyscall, kLater), "other syscall") << "was closed";
}

TEST_F(FileCacheTest, WhatIsInUseIsNotClosedForAnother) {
  constexpr Tid kFull = FileCache::kMaxOpen;
  for (Tid tid = 1; tid <= kFull + 1; ++tid) fake_.Put(tid, "first");
  for (Tid tid = 1; tid <= kFull; ++tid) Read(tid, File::kSyscall, 1);
  EXPECT_EQ(Read(kFull + 1, File::kSyscall, 1), "first syscall")
      << "opened, read and closed";
  for (Tid tid = 1; tid <= kFull; ++tid) fake_.Put(tid, "other");
  EXPECT_EQ(Read(1, File::kSyscall, 1), "first syscall") << "is kept";
}

TEST(FileCacheLimitTest, TakesAQuarterOfAScarceTable) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit scarce = before;
  scarce.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &scarce), 0);
  FakeTasks fake;
  TaskDirectory tasks(fake.root());
  FileCache cache(tasks);
  for (Tid tid = 1; tid <= 40; ++tid) {
    fake.Put(tid, "text");
    ProcText text;
    EXPECT_TRUE(cache.Read(tid, File::kSyscall, tid, text));
  }
  EXPECT_EQ(cache.open_count(), 16u);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileCacheProcTest, EndedThreadIsToldByItsKeptFile) {
  TaskDirectory tasks;
  FileCache cache(tasks);
  ProcText text;
  Tid tid = 0;
  std::thread([&] {
    tid = static_cast<Tid>(syscall(SYS_gettid));
    EXPECT_TRUE(cache.Read(tid, File::kSyscall, 1, text));
  }).join();
  // Joined, it may still be on its way out for a moment.
  for (int i = 0; i < 1000 && cache.Read(tid, File::kSyscall, 2, text); ++i) {
    usleep(1000);
  }
  EXPECT_FALSE(cache.Read(tid, File::kSyscall, 2, text));
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace wallprof::capture
