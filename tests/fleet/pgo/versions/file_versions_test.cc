#include "fleet/pgo/versions/file_versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace wallprof::pgo {
namespace {

namespace fs = std::filesystem;

class FileVersionsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "file_versions_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    versions_ = FileVersions::Open((root_ / "a" / "versions").string()).value();
  }

  void TearDown() override { fs::remove_all(root_); }

  fs::path root_;
  std::unique_ptr<BaseVersions> versions_;
};

TEST_F(FileVersionsTest, RecordsAreReplacedByTheirRevision) {
  EXPECT_EQ(versions_->Get("shop").value().revision, 0u);
  EXPECT_EQ(versions_->Get("shop").value().record, "");
  const uint64_t first = versions_->Replace("shop", 0, "one\ntwo").value();
  EXPECT_NE(first, 0u);
  EXPECT_EQ(versions_->Get("shop").value().record, "one\ntwo");
  EXPECT_EQ(versions_->Get("shop").value().revision, first);
  EXPECT_TRUE(absl::IsAborted(versions_->Replace("shop", 0, "x").status()));
  const uint64_t second = versions_->Replace("shop", first, "three").value();
  EXPECT_TRUE(absl::IsAborted(versions_->Replace("shop", first, "x").status()));
  EXPECT_EQ(versions_->Get("shop").value().record, "three");
  EXPECT_NE(second, first);
}

TEST_F(FileVersionsTest, RevisionsNeverReturn) {
  const uint64_t first = versions_->Replace("shop", 0, "one").value();
  const uint64_t none = versions_->Replace("shop", first, "").value();
  EXPECT_EQ(versions_->Get("shop").value().record, "");
  EXPECT_EQ(versions_->Get("shop").value().revision, none);
  EXPECT_TRUE(absl::IsAborted(versions_->Replace("shop", 0, "x").status()));
  EXPECT_NE(versions_->Replace("shop", none, "one").value(), first);
}

TEST_F(FileVersionsTest, ListsThoseWithARecord) {
  ASSERT_TRUE(versions_->Replace("web-1", 0, "w").ok());
  ASSERT_TRUE(versions_->Replace("shop", 0, "s").ok());
  const uint64_t gone = versions_->Replace("gone", 0, "g").value();
  ASSERT_TRUE(versions_->Replace("gone", gone, "").ok());
  const auto listed = versions_->List().value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].first, "shop");
  EXPECT_EQ(listed[0].second.record, "s");
  EXPECT_EQ(listed[1].first, "web-1");
}

TEST_F(FileVersionsTest, RefusesWhatCannotBe) {
  for (const char* app : {"", "..", "a/b", ".lock", "A"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(versions_->Get(app).status())) << app;
    EXPECT_TRUE(
        absl::IsInvalidArgument(versions_->Replace(app, 0, "x").status()));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      versions_->Replace("shop", 0, std::string(kMaxRecordBytes + 1, 'x'))
          .status()));
  EXPECT_TRUE(
      versions_->Replace("shop", 0, std::string(kMaxRecordBytes, 'x')).ok());
}

TEST_F(FileVersionsTest, DamageIsSaid) {
  std::ofstream(root_ / "a" / "versions" / "shop") << "no number\nx";
  EXPECT_TRUE(absl::IsDataLoss(versions_->Get("shop").status()));
  EXPECT_TRUE(absl::IsDataLoss(versions_->Replace("shop", 0, "x").status()));
  EXPECT_TRUE(absl::IsDataLoss(versions_->List().status()));
}

TEST_F(FileVersionsTest, DirectoryThatIsGone) {
  EXPECT_EQ(versions_->Check(), absl::OkStatus());
  fs::remove_all(root_ / "a");
  EXPECT_FALSE(versions_->Check().ok());
  EXPECT_FALSE(versions_->Replace("shop", 0, "x").ok());
  EXPECT_FALSE(versions_->List().ok());
  EXPECT_FALSE(FileVersions::Open("/dev/null/versions").ok());
}

// Adds one to a number `times` times.
void Count(BaseVersions& versions, int times) {
  for (int done = 0; done < times;) {
    const BaseVersion now = versions.Get("count").value();
    int number = 0;
    static_cast<void>(absl::SimpleAtoi(now.record, &number));
    const auto replaced =
        versions.Replace("count", now.revision, absl::StrCat(number + 1));
    if (replaced.ok()) ++done;
    if (!replaced.ok() && !absl::IsAborted(replaced.status())) _exit(1);
  }
}

TEST_F(FileVersionsTest, ThreadsOfProcessesLoseNothing) {
  constexpr int kProcesses = 3, kThreads = 2, kTimes = 20;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto own =
          FileVersions::Open((root_ / "a" / "versions").string()).value();
      std::thread other([&own] { Count(*own, kTimes); });
      Count(*own, kTimes);
      other.join();
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(versions_->Get("count").value().record,
            absl::StrCat(kProcesses * kThreads * kTimes));
}

}  // namespace
}  // namespace wallprof::pgo
