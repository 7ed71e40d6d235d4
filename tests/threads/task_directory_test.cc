#include "profiler/threads/task_directory.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace wallprof::threads {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

// A task directory made of files, that goes with the test.
class FakeTasks {
 public:
  FakeTasks() {
    std::string pattern =
        std::filesystem::temp_directory_path() / "tasksXXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~FakeTasks() { std::filesystem::remove_all(root_); }

  void Add(const std::string& entry, const std::string& syscall = "running") {
    std::filesystem::create_directory(root_ + "/" + entry);
    std::ofstream(root_ + "/" + entry + "/syscall") << syscall;
  }
  void AddFile(const std::string& name) { std::ofstream(root_ + "/" + name); }
  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

TEST(TaskDirectoryTest, ListsEntriesThatAreNumbers) {
  FakeTasks fake;
  for (const char* entry : {"1", "42", "4194303", "x", "7x", "99999999999"}) {
    fake.Add(entry);
  }
  std::vector<Tid> tids = {1, 2, 3};
  EXPECT_TRUE(TaskDirectory(fake.root()).List(tids));
  EXPECT_THAT(tids, UnorderedElementsAre(1, 42, 4194303));
}

TEST(TaskDirectoryTest, ListsMoreThanOneBufferFull) {
  FakeTasks fake;
  constexpr int kThreads = 3000;
  for (int tid = 1; tid <= kThreads; ++tid) fake.AddFile(std::to_string(tid));
  std::vector<Tid> tids;
  EXPECT_TRUE(TaskDirectory(fake.root()).List(tids));
  std::sort(tids.begin(), tids.end());
  ASSERT_EQ(tids.size(), size_t{kThreads});
  for (int i = 0; i < kThreads; ++i) ASSERT_EQ(tids[i], i + 1);
}

TEST(TaskDirectoryTest, OfAnEmptyDirectoryIsEmpty) {
  FakeTasks fake;
  std::vector<Tid> tids = {1};
  EXPECT_TRUE(TaskDirectory(fake.root()).List(tids));
  EXPECT_THAT(tids, IsEmpty());
}

TEST(TaskDirectoryTest, OneThatCannotBeReadIsAnErrorAndEmpty) {
  std::vector<Tid> tids = {1, 2};
  const TaskDirectory missing("/no/such/directory");
  EXPECT_FALSE(missing.List(tids));
  EXPECT_THAT(tids, IsEmpty());
  EXPECT_EQ(missing.CountHint(), -1);
}

TEST(TaskDirectoryTest, OpensAThreadsFile) {
  FakeTasks fake;
  fake.Add("42", "-1 0x1 0x2\n");
  TaskDirectory tasks(fake.root());
  const FileDescriptor file = tasks.Open(42, "syscall");
  ASSERT_TRUE(file.valid());
  ProcText text;
  ASSERT_TRUE(text.ReadFrom(file.get()));
  EXPECT_EQ(text.text(), "-1 0x1 0x2\n");
  ASSERT_TRUE(tasks.Read(42, "syscall", text));
  EXPECT_EQ(text.text(), "-1 0x1 0x2\n");
  EXPECT_FALSE(tasks.Read(43, "syscall", text));
}

TEST(TaskDirectoryTest, ListsAnewEachTime) {
  FakeTasks fake;
  const TaskDirectory tasks(fake.root());
  std::vector<Tid> tids;
  fake.Add("1");
  EXPECT_TRUE(tasks.List(tids));
  fake.Add("2");
  EXPECT_TRUE(tasks.List(tids));
  EXPECT_THAT(tids, UnorderedElementsAre(1, 2));
}

TEST(TaskDirectoryTest, ClosedItIsOpenedAgain) {
  FakeTasks fake;
  fake.Add("1");
  TaskDirectory tasks(fake.root());
  std::vector<Tid> tids;
  EXPECT_TRUE(tasks.List(tids));
  tasks.Close();
  EXPECT_TRUE(tasks.List(tids));
  EXPECT_THAT(tids, UnorderedElementsAre(1));
}

TEST(TaskDirectoryTest, OpeningAThreadThatIsGoneFails) {
  FakeTasks fake;
  EXPECT_FALSE(TaskDirectory(fake.root()).Open(43, "syscall").valid());
  EXPECT_EQ(errno, ENOENT);
}

TEST(TaskDirectoryTest, OfThisProcessHasAllItsThreads) {
  constexpr int kThreads = 5;
  std::vector<std::thread> started;
  std::vector<std::atomic<Tid>> expected(kThreads);
  std::atomic<uint32_t> go_on{0};
  for (int i = 0; i < kThreads; ++i) {
    started.emplace_back([&, i] {
      expected[i] = static_cast<Tid>(syscall(SYS_gettid));
      go_on.wait(0);
    });
  }
  std::vector<Tid> own;
  for (const auto& tid : expected) {
    while (tid == 0) std::this_thread::yield();
    own.push_back(tid);
  }
  const TaskDirectory tasks;
  std::vector<Tid> tids;
  EXPECT_TRUE(tasks.List(tids));
  EXPECT_THAT(tids, IsSupersetOf(own));
  EXPECT_THAT(tids, Contains(getpid()));
  EXPECT_EQ(tasks.CountHint(), static_cast<int>(tids.size()));
  go_on = 1;
  go_on.notify_all();
  for (std::thread& thread : started) thread.join();
}

}  // namespace
}  // namespace wallprof::threads
