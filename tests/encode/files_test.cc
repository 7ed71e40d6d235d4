#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/encode/shell.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

TEST(WriteFileTest, SuffixDecidesTheFormat) {
  TemporaryFolder folder;
  Profile profile = FullProfile();
  ASSERT_EQ(WriteFile(profile, folder.PathOf("p.txt")), absl::OkStatus());
  EXPECT_EQ(ReadWhole(folder.PathOf("p.txt")), EncodeFolded(profile));
  ASSERT_EQ(WriteFile(profile, folder.PathOf("p.pb.gz")), absl::OkStatus());
  EXPECT_EQ(ReadWhole(folder.PathOf("p.pb.gz")), EncodePprof(profile));
}

TEST(WriteFileTest, UnknownSuffixIsRefusedAndNothingWritten) {
  TemporaryFolder folder;
  absl::Status status = WriteFile(FullProfile(), folder.PathOf("p.png"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("p.png"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(".pb.gz"));
  EXPECT_TRUE(FilesIn(folder.PathOf("")).empty());
}

TEST(WriteFileTest, ReplacesAndLeavesNothingElse) {
  TemporaryFolder folder;
  WriteWhole(folder.PathOf("p.folded"), "old and longer than the new\n");
  ASSERT_EQ(WriteFile(WallProfile({{{"f"}, {1, 0, 1000}}}),
                      folder.PathOf("p.folded")),
            absl::OkStatus());
  EXPECT_EQ(ReadWhole(folder.PathOf("p.folded")), "f 1\n");
  EXPECT_THAT(FilesIn(folder.PathOf("")), ElementsAre("p.folded"));
}

TEST(WriteFileTest, ModeIsThatOfAnyNewFile) {
  TemporaryFolder folder;
  mode_t mask = umask(027);
  EXPECT_EQ(WriteFile(FullProfile(), folder.PathOf("p.txt")), absl::OkStatus());
  umask(mask);
  struct stat status;
  ASSERT_EQ(stat(folder.PathOf("p.txt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640);
}

TEST(WriteFileTest, MissingFolderIsNotFound) {
  TemporaryFolder folder;
  absl::Status status = WriteFile(FullProfile(), folder.PathOf("none/p.txt"));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("none/p.txt"));
}

TEST(WriteFileTest, PipeIsWrittenToAndStaysAPipe) {
  TemporaryFolder folder;
  std::string path = folder.PathOf("pipe.folded");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::string seen;
  std::thread reader([&] { seen = ReadWhole(path); });
  EXPECT_EQ(WriteFile(FullProfile(), path), absl::OkStatus());
  reader.join();
  EXPECT_EQ(seen, EncodeFolded(FullProfile()));
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST(WriteFileTest, FullDeviceIsAnError) {
  EXPECT_EQ(WriteFile(FullProfile(), "/dev/full", Format::kFolded).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(WriteFileTest, FailedRenameLeavesNoTemporaryFile) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.PathOf("taken"));
  absl::Status status =
      WriteFile(FullProfile(), folder.PathOf("taken"), Format::kPprof);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot replace"));
  EXPECT_THAT(FilesIn(folder.PathOf("")), ElementsAre("taken"));
}

TEST(WriteFileTest, FailedWriteLeavesTheOldFileAndNoTemporaryOne) {
  TemporaryFolder folder;
  WriteWhole(folder.PathOf("p"), "old");
  Profile large = WallProfile({{{std::string(100'000, 'x')}, {1, 0, 1000}}});
  struct rlimit old_limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  auto old_handler = signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = {4096, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  absl::Status status = WriteFile(large, folder.PathOf("p"), Format::kFolded);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  signal(SIGXFSZ, old_handler);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot write"));
  EXPECT_EQ(ReadWhole(folder.PathOf("p")), "old");
  EXPECT_THAT(FilesIn(folder.PathOf("")), ElementsAre("p"));
}

TEST(WriteFileTest, ThreadsWritingOneFileLeaveOneOfTheirFiles) {
  TemporaryFolder folder;
  std::string path = folder.PathOf("p.folded");
  std::vector<std::string> whole;
  std::vector<std::thread> threads;
  for (char c : {'a', 'b', 'c', 'd'}) {
    Profile profile = WallProfile({{{std::string(10'000, c)}, {1, 0, 1000}}});
    whole.push_back(EncodeFolded(profile));
    threads.emplace_back([&path, profile] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(WriteFile(profile, path), absl::OkStatus());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(whole, Contains(ReadWhole(path)));
  EXPECT_THAT(FilesIn(folder.PathOf("")), ElementsAre("p.folded"));
}

TEST(WriteFileTest, AskedForAFormatAnySuffixWillDo) {
  TemporaryFolder folder;
  std::string path = folder.PathOf("p.folded");
  ASSERT_EQ(WriteFile(FullProfile(), path, Format::kPprof), absl::OkStatus());
  EXPECT_EQ(ReadWhole(path), EncodePprof(FullProfile()));
}

}  // namespace
}  // namespace wallprof
