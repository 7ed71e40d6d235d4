#include "fleet/objects/directory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/fleet/objects/object_store_conformance.h"
#include "wallprof/object_store.h"

namespace wallprof {

std::unique_ptr<ObjectStore> OpenStore(const std::string& place) {
  // Removed when the program ends.
  struct Temporary {
    std::string name = testing::TempDir() + "object_store_XXXXXX";
    bool is_made = mkdtemp(name.data()) != nullptr;
    ~Temporary() {
      if (is_made) std::filesystem::remove_all(name);
    }
  };
  static const Temporary temporary;
  EXPECT_TRUE(temporary.is_made);
  return OpenObjectStore("file://" + temporary.name + "/" + place).value();
}

}  // namespace wallprof

namespace wallprof::objects {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr size_t kMany = size_t{64} << 20;

class DirectoryStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "directory_store_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    store_ = OpenObjectStore("file://" + (root_ / "deep" / "store").string())
                 .value();
  }

  void TearDown() override { fs::remove_all(root_); }

  fs::path PathOf(const std::string& key) const {
    return root_ / "deep" / "store" / key;
  }

  std::vector<std::string> Keys(std::string_view prefix = "",
                                std::string_view after = "", int limit = 1000) {
    const auto objects = store_->List(prefix, after, limit);
    EXPECT_TRUE(objects.ok()) << objects.status();
    std::vector<std::string> keys;
    if (!objects.ok()) return keys;
    for (const ObjectInfo& object : *objects) keys.push_back(object.key);
    return keys;
  }

  void PutAll(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      ASSERT_EQ(store_->Put(key, key), absl::OkStatus());
    }
  }

  fs::path root_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(DirectoryStoreTest, WhatWasPutIsGotAndIsAFile) {
  std::mt19937 random(7);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3} << 20}) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_EQ(store_->Put("shop/default.pgo", bytes), absl::OkStatus());
    EXPECT_TRUE(store_->Get("shop/default.pgo", kMany).value() == bytes);
    std::ifstream file(PathOf("shop/default.pgo"), std::ios::binary);
    EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(file), {}) == bytes);
  }
  EXPECT_EQ(fs::status(PathOf("shop/default.pgo")).permissions() &
                (fs::perms::group_all | fs::perms::others_all),
            fs::perms::none);
}

TEST_F(DirectoryStoreTest, WhatIsNotThereIsNotFound) {
  PutAll({"a/b"});
  for (const char* key : {"none", "a", "a/none", "a/b/c", "none/at/all"}) {
    EXPECT_TRUE(absl::IsNotFound(store_->Get(key, kMany).status())) << key;
    EXPECT_EQ(store_->Delete(key), absl::OkStatus()) << key;
  }
  EXPECT_EQ(store_->Delete("a/b"), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store_->Get("a/b", kMany).status()));
  EXPECT_EQ(store_->Delete("a/b"), absl::OkStatus()) << "again";
}

TEST_F(DirectoryStoreTest, TooLargeToBeGot) {
  PutAll({"123456"});
  EXPECT_TRUE(absl::IsResourceExhausted(store_->Get("123456", 5).status()));
  EXPECT_TRUE(store_->Get("123456", 6).ok());
}

TEST_F(DirectoryStoreTest, KeysThatCannotBe) {
  PutAll({"a/b"});
  for (const std::string& key :
       {std::string(), std::string("../a"), std::string("a/../../b"),
        std::string("/etc/passwd"), std::string("a//b"), std::string("a/"),
        std::string("a\0b", 3), std::string(".writing/a"),
        std::string(".writing"), std::string(256, 'n'), std::string("a/b/c"),
        std::string("a")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Put(key, "x"))) << key;
  }
  EXPECT_THAT(Keys(), ElementsAre("a/b"));
  EXPECT_FALSE(fs::exists(root_ / "a"));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->List("../", "", 1).status()));
}

TEST_F(DirectoryStoreTest, ListsInTheOrderOfBytes) {
  // '-' and '.' come before '/', digits and letters after.
  PutAll({"a-b", "a.b/1", "a/1", "a/2/x", "a/2-", "a/3", "a0", "ab/1",
          "\xc3\xa9/\xe2\x82\xac"});
  EXPECT_THAT(Keys(), ElementsAre("a-b", "a.b/1", "a/1", "a/2-", "a/2/x", "a/3",
                                  "a0", "ab/1", "\xc3\xa9/\xe2\x82\xac"));
  EXPECT_THAT(Keys("a/"), ElementsAre("a/1", "a/2-", "a/2/x", "a/3"));
  EXPECT_THAT(Keys("a/2"), ElementsAre("a/2-", "a/2/x"));
  EXPECT_THAT(Keys("a/2/x"), ElementsAre("a/2/x"));
  EXPECT_THAT(Keys("a"), ElementsAre("a-b", "a.b/1", "a/1", "a/2-", "a/2/x",
                                     "a/3", "a0", "ab/1"));
  EXPECT_THAT(Keys("", "", 2), ElementsAre("a-b", "a.b/1"));
  EXPECT_THAT(Keys("none/"), IsEmpty());
  EXPECT_THAT(Keys("b"), IsEmpty());
}

TEST_F(DirectoryStoreTest, PagesOfAnySizeHaveEachKeyOnce) {
  std::vector<std::string> keys;
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string key;
    const int steps = static_cast<int>(random() % 3);
    for (int s = 0; s < steps; ++s) {
      absl::StrAppend(&key, "d", random() % 3, random() % 2 ? "-" : "", "/");
    }
    absl::StrAppend(&key, "o", random() % 100, ".x");
    fs::create_directories(PathOf(key).parent_path());
    std::ofstream(PathOf(key)) << key;
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string prefix : {"", "d1", "d1/", "d1/d", "d1-/d2/o"}) {
    std::vector<std::string> expected;
    for (const std::string& key : keys) {
      if (key.substr(0, prefix.size()) == prefix) expected.push_back(key);
    }
    for (const int limit : {1, 2, 7, 1000}) {
      std::vector<std::string> found;
      for (;;) {
        const auto page =
            Keys(prefix, found.empty() ? "" : found.back(), limit);
        found.insert(found.end(), page.begin(), page.end());
        if (page.size() < static_cast<size_t>(limit)) break;
      }
      EXPECT_EQ(found, expected) << "'" << prefix << "' " << limit;
    }
    // After what is no key.
    EXPECT_EQ(Keys(prefix, "c").size(), expected.size());
    EXPECT_THAT(Keys(prefix, "e", 1).size(), prefix.empty() ? 1u : 0u)
        << "o...";
  }
}

// A large directory's names are kept between pages; what is put or removed
// meanwhile must show all the same.
TEST_F(DirectoryStoreTest, LargeDirectoriesShowWhatChanges) {
  const auto key = [](int i) { return absl::StrCat("d/", 10'000 + i); };
  fs::create_directory(PathOf("d"));
  for (int i = 0; i < 2500; ++i) {
    std::ofstream(PathOf(key(i))) << i;
  }
  absl::SleepFor(absl::Milliseconds(150));  // such that names may be kept
  ASSERT_EQ(Keys("d/").size(), 1000u);
  EXPECT_EQ(Keys("d/", key(999)).size(), 1000u);
  ASSERT_EQ(store_->Delete(key(2000)), absl::OkStatus());
  ASSERT_EQ(store_->Put("d/99999", "last"), absl::OkStatus());
  const std::vector<std::string> last = Keys("d/", key(1999));
  EXPECT_EQ(last.front(), key(2001));
  EXPECT_EQ(last.back(), "d/99999");
  EXPECT_EQ(last.size(), 500u);
}

TEST_F(DirectoryStoreTest, NothingHalfWrittenIsSeen) {
  const std::string a(200'000, 'a'), b(300'000, 'b');
  ASSERT_EQ(store_->Put("k", a), absl::OkStatus());
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (const std::string* bytes : {&a, &b}) {
    writers.emplace_back([&, bytes] {
      while (!done) EXPECT_EQ(store_->Put("k", *bytes), absl::OkStatus());
    });
  }
  for (int i = 0; i < 200; ++i) {
    const auto got = store_->Get("k", kMany);
    ASSERT_TRUE(got.ok()) << got.status();
    ASSERT_TRUE(*got == a || *got == b) << got->size();
    ASSERT_THAT(Keys(), ElementsAre("k"));
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
}

// The directory goes with its last object; a writer must not mind.
TEST_F(DirectoryStoreTest, PutsAndDeletesInOneDirectory) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const std::string key = absl::StrCat("a/b/", t);
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(store_->Put(key, key), absl::OkStatus());
        EXPECT_EQ(store_->Get(key, kMany).value_or(""), key);
        EXPECT_EQ(store_->Delete(key), absl::OkStatus());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_FALSE(fs::exists(PathOf("a")));
  EXPECT_TRUE(fs::exists(PathOf(".writing")));
}

// A worker may have merged and removed what its sender has only just put there.
TEST_F(DirectoryStoreTest, WhatIsPutMayBeDeletedAtOnce) {
  std::atomic<bool> done{false};
  std::vector<std::thread> deleters;
  for (int t = 0; t < 2; ++t) {
    deleters.emplace_back([&] {
      while (!done) EXPECT_EQ(store_->Delete("a/b/c"), absl::OkStatus());
    });
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(store_->Put("a/b/c", "x"), absl::OkStatus());
  }
  done = true;
  for (std::thread& deleter : deleters) deleter.join();
}

TEST_F(DirectoryStoreTest, WhatDeadWritersLeftIsRemoved) {
  for (const char* name : {"old", "new"}) {
    std::ofstream(PathOf(".writing") / name) << "half";
  }
  fs::last_write_time(PathOf(".writing") / "old",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  ASSERT_TRUE(OpenObjectStore("file://" + PathOf("").string()).ok());
  EXPECT_FALSE(fs::exists(PathOf(".writing") / "old"));
  EXPECT_TRUE(fs::exists(PathOf(".writing") / "new"));
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(DirectoryStoreTest, FullDiskLeavesWhatWasThere) {
  PutAll({"k"});
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small = {1000, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status put = store_->Put("k", std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(absl::IsResourceExhausted(put)) << put;
  EXPECT_EQ(store_->Get("k", kMany).value_or(""), "k");
  EXPECT_THAT(
      fs::directory_iterator(PathOf(".writing")) == fs::directory_iterator(),
      true);
}

TEST(DirectoryUrlTest, NamesADirectory) {
  EXPECT_EQ(ParseDirectoryUrl("file:///a/b/").value(), "/a/b");
  for (const char* url : {"file://a/b", "file:a", "file:///", "file://",
                          "file:///a?x=1", "s3://bucket"}) {
    const absl::Status status = ParseDirectoryUrl(url).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << url;
    EXPECT_THAT(std::string(status.message()), HasSubstr(url));
  }
}

TEST(DirectoryUrlTest, DirectoryThatCannotBe) {
  EXPECT_FALSE(OpenObjectStore("file:///proc/none/store").ok());
  EXPECT_FALSE(OpenObjectStore("file:///dev/null/store").ok());
}

}  // namespace
}  // namespace wallprof::objects
