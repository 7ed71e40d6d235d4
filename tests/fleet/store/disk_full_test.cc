// What a store does on a disk that is full.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/store/profile_store.h"
#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {
namespace {

constexpr size_t kMessageBytes = 600'000;

std::unique_ptr<ProfileStore> OpenIn(const std::string& directory) {
  StoreOptions options;
  options.directory = directory;
  auto store = OpenProfileStore(options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

// What cannot be compressed, so that a disk is soon full.
std::string MessageOf(int number) {
  static const std::string* const kRandom = [] {
    std::mt19937_64 random(1);
    auto* bytes = new std::string(kMessageBytes, '\0');
    for (char& byte : *bytes) byte = static_cast<char>(random());
    return bytes;
  }();
  return absl::StrCat(number, *kRandom);
}

absl::Status Add(ProfileStore& store, int number) {
  const std::string message = MessageOf(number);
  const absl::Time time = kSampleTime + absl::Seconds(number);
  return store.Add({SampleInfo(number, time), message, ""}).status();
}

void ExpectReadable(ProfileStore& store, size_t count) {
  const auto found = FindAll(store);
  EXPECT_EQ(found.size(), count);
  for (const IndexEntry& entry : found) {
    const auto number =
        absl::ToInt64Seconds(entry.info.created_at - kSampleTime);
    EXPECT_TRUE(store.Read(entry).value_or("") ==
                MessageOf(static_cast<int>(number)))
        << number;
  }
}

// A file system of a few megabytes, as root alone can have one.
class SmallDisk {
 public:
  bool Mount() {
    is_mounted_ = geteuid() == 0 && mount("none", directory_.path().c_str(),
                                          "tmpfs", 0, "size=24m") == 0;
    return is_mounted_;
  }
  ~SmallDisk() {
    if (is_mounted_) umount2(directory_.path().c_str(), MNT_DETACH);
  }
  const std::string& path() const { return directory_.path(); }

 private:
  const TemporaryDirectory directory_;
  bool is_mounted_ = false;
};

TEST(DiskFullTest, WhatWasKeptStaysAndRoomMakesItWorkAgain) {
  SmallDisk disk;
  if (!disk.Mount()) GTEST_SKIP() << "no file system can be mounted here";
  auto store = OpenIn(disk.path());
  ASSERT_NE(store, nullptr);
  const std::string ballast = disk.path() + "/ballast";
  std::ofstream(ballast, std::ios::binary) << std::string(2'000'000, 'x');
  size_t kept = 0;
  absl::Status added;
  while (kept < 1000 && (added = Add(*store, static_cast<int>(kept))).ok()) {
    ++kept;
  }
  EXPECT_GT(kept, 3);
  EXPECT_TRUE(absl::IsResourceExhausted(added)) << added;
  EXPECT_TRUE(absl::IsResourceExhausted(store->Check())) << store->Check();
  ExpectReadable(*store, kept);
  // The last bytes too are taken, by whoever else writes here.
  std::ofstream(ballast, std::ios::binary | std::ios::app)
      << std::string(30'000'000, 'x');
  const auto deleted = store->Delete({FindAll(*store)[0].info.id});
  EXPECT_TRUE(deleted.ok()) << deleted.status();
  ExpectReadable(*store, kept - 1);
  store.reset();
  ASSERT_EQ(truncate(ballast.c_str(), 0), 0);
  store = OpenIn(disk.path());
  ASSERT_NE(store, nullptr);
  ExpectReadable(*store, kept - 1);
  added = Add(*store, 5000);
  EXPECT_TRUE(added.ok()) << added;
  ExpectReadable(*store, kept);
}

TEST(DiskFullTest, RoomMadeByDeletingIsUsed) {
  SmallDisk disk;
  if (!disk.Mount()) GTEST_SKIP() << "no file system can be mounted here";
  auto store = OpenIn(disk.path());
  ASSERT_NE(store, nullptr);
  int number = 0;
  while (number < 1000 && Add(*store, number).ok()) ++number;
  ASSERT_LT(number, 1000) << "the disk was never full";
  std::vector<std::string> ids;
  for (const IndexEntry& entry : FindAll(*store)) ids.push_back(entry.info.id);
  ASSERT_TRUE(store->Delete(ids).ok());
  const absl::Status kept = store->KeepHouse();
  ASSERT_TRUE(kept.ok()) << kept;
  const absl::Status added = Add(*store, number);
  EXPECT_TRUE(added.ok()) << added;
  ExpectReadable(*store, 1);
}

// Where no file may grow beyond a size, it is as if the disk were full.
TEST(DiskFullTest, AFileThatMayNotGrow) {
  const TemporaryDirectory directory;
  auto store = OpenIn(directory.path());
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(Add(*store, 0).ok());
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 1'000'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  absl::Status refused;
  for (int i = 1; i < 8 && refused.ok(); ++i) {
    refused = Add(*store, i);
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  ExpectReadable(*store, 1);
  EXPECT_TRUE(Add(*store, 1).ok()) << "the same one, now that it can";
  store = nullptr;
  store = OpenIn(directory.path());
  ASSERT_NE(store, nullptr);
  ExpectReadable(*store, 2);
}

}  // namespace
}  // namespace wallprof::store
