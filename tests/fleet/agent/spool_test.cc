#include "fleet/agent/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/fleet/agent/simulated.h"

namespace wallprof::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Parcel ParcelAt(int seconds) {
  return {"id-" + std::to_string(seconds),
          "svc",
          "cpu",
          {},
          absl::FromUnixSeconds(1'700'000'000 + seconds),
          "body"};
}

class SpoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<Spool> Open() {
    auto spool = Spool::Open(directory_.path(), "svc");
    EXPECT_TRUE(spool.ok()) << spool.status();
    return *std::move(spool);
  }

  static std::vector<std::string> IdsOf(Spool& spool) {
    std::vector<std::string> ids;
    const auto listed = spool.List();
    for (const SpoolEntry& entry : *listed) {
      const auto parcel = spool.Read(entry);
      ids.push_back(parcel.ok() ? parcel->id : "?");
    }
    return ids;
  }

  TestDirectory directory_;
};

TEST_F(SpoolTest, ListsTheOldestFirst) {
  const auto spool = Open();
  for (const int second : {3, 1, 2}) {
    ASSERT_TRUE(spool->Put(ParcelAt(second), false, true).ok());
  }
  EXPECT_THAT(IdsOf(*spool), ElementsAre("id-1", "id-2", "id-3"));
  EXPECT_THAT(directory_.Files(".tmp"), IsEmpty());
}

TEST_F(SpoolTest, FilesAreForTheirUserAlone) {
  const auto spool = Open();
  ASSERT_TRUE(spool->Put(ParcelAt(1), false, true).ok());
  struct stat status;
  stat((spool->directory() + "/" + directory_.Files(".parcel")[0]).c_str(),
       &status);
  EXPECT_EQ(status.st_mode & 0777, 0600);
  stat(spool->directory().c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0700);
}

TEST_F(SpoolTest, ADirectoryThatOthersCanWriteToIsNotUsed) {
  const std::string path = directory_.path() + "/svc";
  std::filesystem::create_directory(path);
  chmod(path.c_str(), 0777);
  EXPECT_TRUE(
      absl::IsPermissionDenied(Spool::Open(directory_.path(), "svc").status()));
  std::filesystem::remove(path);
  std::filesystem::create_directory_symlink("/tmp", path);
  EXPECT_FALSE(Spool::Open(directory_.path(), "svc").ok());
}

TEST_F(SpoolTest, ServicesWithStrangeNamesHaveDirectoriesOfTheirOwn) {
  for (const char* service : {"..", ".", "a/b", "/etc", "\n"}) {
    const auto spool = Spool::Open(directory_.path(), service);
    ASSERT_TRUE(spool.ok()) << spool.status();
    EXPECT_EQ(std::filesystem::canonical((*spool)->directory()).parent_path(),
              std::filesystem::canonical(directory_.path()));
  }
  const auto longest = Spool::Open(directory_.path(), std::string(1000, 'x'));
  EXPECT_TRUE(longest.ok()) << longest.status();
}

TEST_F(SpoolTest, OnlyTheLivingOwnWhatTheyWrote) {
  auto first = Open();
  auto second = Open();
  ASSERT_TRUE(first->Put(ParcelAt(1), false, true).ok());
  SpoolEntry entry = second->List()->front();
  EXPECT_TRUE(first->Owns(entry));
  EXPECT_FALSE(second->Owns(entry));
  first.reset();
  EXPECT_TRUE(second->Owns(entry));
  const auto third = Open();
  EXPECT_FALSE(third->Owns(entry)) << "taken over by the second";
}

TEST_F(SpoolTest, LocksGoWithTheLastFile) {
  auto first = Open();
  ASSERT_TRUE(first->Put(ParcelAt(1), false, true).ok());
  first.reset();
  EXPECT_THAT(directory_.Files(".lock"), SizeIs(1));
  const auto second = Open();
  const SpoolEntry entry = second->List()->front();
  ASSERT_TRUE(second->Owns(entry));
  EXPECT_THAT(directory_.Files(".lock"), SizeIs(2));
  ASSERT_TRUE(second->Remove(entry).ok());
  second->Tidy(*second->List());
  EXPECT_THAT(directory_.Files(".lock"), SizeIs(1));
}

TEST_F(SpoolTest, NamesSayWhatBecameOfIt) {
  const auto spool = Open();
  SpoolEntry entry = *spool->Put(ParcelAt(1), true, true);
  EXPECT_THAT(directory_.Files(".unsure"), SizeIs(1));
  ASSERT_TRUE(spool->SetUnsure(entry, false).ok());
  EXPECT_THAT(directory_.Files(".parcel"), ElementsAre(entry.name));
  ASSERT_TRUE(spool->SetCorrupt(entry).ok());
  EXPECT_TRUE(spool->List()->front().corrupt);
  ASSERT_TRUE(spool->Remove(entry).ok());
  EXPECT_TRUE(spool->Remove(entry).ok()) << "gone already";
  EXPECT_TRUE(absl::IsNotFound(spool->Read(entry).status()));
  EXPECT_FALSE(spool->SetUnsure(entry, true).ok());
}

TEST_F(SpoolTest, FilesOfOthersAreNamedAndLeftAlone) {
  const auto spool = Open();
  for (const char* name : {"notes.txt", "1-2-3.parcel", "x.parcel"}) {
    std::ofstream(spool->directory() + "/" + name) << "mine";
  }
  std::vector<std::string> foreign;
  EXPECT_THAT(*spool->List(&foreign), IsEmpty());
  EXPECT_THAT(foreign, ::testing::UnorderedElementsAre("notes.txt", "x.parcel",
                                                       "1-2-3.parcel"));
  spool->Tidy({});
  EXPECT_THAT(directory_.Files(""), SizeIs(4)) << "and the lock";
}

TEST_F(SpoolTest, TemporaryFilesOfTheKilledAreRemoved) {
  const auto spool = Open();
  const std::string old =
      spool->directory() + "/1700000000000000000-1_a-00000001.tmp";
  const std::string fresh =
      spool->directory() + "/1700000000000000000-1_a-00000002.tmp";
  std::ofstream(old) << "half";
  std::ofstream(fresh) << "half";
  const timeval long_ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
  ASSERT_EQ(utimes(old.c_str(), long_ago), 0);
  spool->Tidy({});
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(fresh)) << "may be being written";
}

TEST_F(SpoolTest, AFullDiskLeavesNoTornFile) {
  // A file larger than the limit fails as on a full disk does.
  const auto spool = Open();
  rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {100, limit.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  Parcel parcel = ParcelAt(1);
  parcel.body.assign(10'000, 'x');
  const auto put = spool->Put(parcel, false, true);
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_FALSE(put.ok());
  EXPECT_THAT(directory_.Files("tmp"), IsEmpty());
  EXPECT_THAT(directory_.Files("parcel"), IsEmpty());
}

}  // namespace
}  // namespace wallprof::agent
