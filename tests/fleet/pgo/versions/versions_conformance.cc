#include "tests/fleet/pgo/versions/versions_conformance.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "fleet/pgo/versions/open.h"
#include "tests/fleet/pgo/engines/engine_servers.h"
#include "tests/fleet/pgo/versions/adding.h"

namespace wallprof::pgo {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VersionsConformance);

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

std::vector<std::string> NamesOf(BaseVersions& versions) {
  const auto listed = versions.List();
  EXPECT_TRUE(listed.ok()) << listed.status();
  std::vector<std::string> names;
  if (listed.ok()) {
    for (const auto& [name, version] : *listed) names.push_back(name);
  }
  return names;
}

std::unique_ptr<BaseVersions> OpenAt(const std::string& url) {
  auto versions = OpenBaseVersions(url);
  EXPECT_TRUE(versions.ok()) << versions.status();
  return versions.ok() ? *std::move(versions) : nullptr;
}

}  // namespace

std::unique_ptr<BaseVersions> VersionsConformance::Open() const {
  return OpenAt(url_);
}

uint64_t VersionsConformance::Replace(const std::string& app, uint64_t revision,
                                      const std::string& record) {
  const auto replaced = versions_->Replace(app, revision, record);
  EXPECT_TRUE(replaced.ok()) << replaced.status();
  return replaced.ok() ? *replaced : 0;
}

TEST_P(VersionsConformance, WhereNothingIs) {
  const auto version = versions_->Get("shop");
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(version->record, "");
  EXPECT_EQ(version->revision, 0u);
  EXPECT_THAT(NamesOf(*versions_), IsEmpty());
  EXPECT_TRUE(versions_->Check().ok()) << versions_->Check();
  EXPECT_TRUE(absl::IsAborted(versions_->Replace("shop", 1, "a").status()));
}

TEST_P(VersionsConformance, RecordsAreReplacedAndSeenByAll) {
  const auto other = Open();
  std::set<uint64_t> revisions{0};
  uint64_t shop = 0;
  const std::string odd("\0'\"\\x00\xff\n", 8);
  const std::string large(kMaxRecordBytes, 'r');
  for (const std::string& record : {std::string("a"), odd, large}) {
    shop = Replace("shop", shop, record);
    EXPECT_TRUE(revisions.insert(shop).second) << shop;
    const auto version = other->Get("shop");
    ASSERT_TRUE(version.ok()) << version.status();
    EXPECT_EQ(version->revision, shop);
    EXPECT_EQ(version->record, record);
  }
  Replace("a-1", 0, "x");
  Replace("zoo", 0, "y");
  const auto listed = other->List();
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_THAT(NamesOf(*other), ElementsAre("a-1", "shop", "zoo"));
  EXPECT_EQ((*listed)[1].second.record, large);
  EXPECT_EQ((*listed)[1].second.revision, shop);
  EXPECT_EQ(Open()->Get("shop")->record, large) << "it is kept";
}

TEST_P(VersionsConformance, WhoIsLateIsTold) {
  const uint64_t first = Replace("shop", 0, "a");
  const uint64_t second = Replace("shop", first, "b");
  for (const uint64_t late : {uint64_t{0}, first, second + 1}) {
    const absl::Status status = versions_->Replace("shop", late, "c").status();
    EXPECT_TRUE(absl::IsAborted(status)) << late << status;
  }
  EXPECT_EQ(versions_->Get("shop")->record, "b");
  EXPECT_EQ(versions_->Get("shop")->revision, second);
}

TEST_P(VersionsConformance, ARevisionNeverComesBack) {
  std::set<uint64_t> revisions{0};
  uint64_t revision = 0;
  for (const char* record : {"a", "", "a", "", ""}) {
    revision = Replace("shop", revision, record);
    EXPECT_TRUE(revisions.insert(revision).second) << revision;
    const auto version = versions_->Get("shop");
    ASSERT_TRUE(version.ok()) << version.status();
    EXPECT_EQ(version->record, record);
    EXPECT_EQ(version->revision, revision);
    EXPECT_EQ(NamesOf(*versions_).size(), *record == '\0' ? 0u : 1u);
    EXPECT_TRUE(absl::IsAborted(versions_->Replace("shop", 0, "b").status()));
  }
}

TEST_P(VersionsConformance, WhatCannotBe) {
  for (const char* name : {"", "Shop", "a/b", "a.b", "a b", "../a"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(versions_->Get(name).status())) << name;
    EXPECT_TRUE(
        absl::IsInvalidArgument(versions_->Replace(name, 0, "a").status()))
        << name;
  }
  const std::string too_large(kMaxRecordBytes + 1, 'r');
  EXPECT_TRUE(absl::IsInvalidArgument(
      versions_->Replace("shop", 0, too_large).status()));
}

// A change that is said to be made is made once, and one that is refused not.
TEST_P(VersionsConformance, OneOfManyThreadsWins) {
  constexpr int kRounds = 20;
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds;) {
        const auto version = versions_->Get("shop");
        ASSERT_TRUE(version.ok()) << version.status();
        const auto replaced = versions_->Replace("shop", version->revision,
                                                 version->record + "1");
        ASSERT_TRUE(replaced.ok() || absl::IsAborted(replaced.status()))
            << replaced.status();
        made += replaced.ok();
        round += replaced.ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 4 * kRounds);
  EXPECT_EQ(versions_->Get("shop")->record, std::string(4 * kRounds, '1'));
}

TEST_P(VersionsConformance, ManyProcessesLoseNothing) {
  AddWhile(url_, [] {});
}

void AddWhile(const std::string& url, const std::function<void()>& disturb) {
  std::vector<std::thread> adding;
  std::vector<std::string> all = {"0", "1", "2"};
  std::vector<int> ended(2, -1);
  for (int i = 0; i < 2; ++i) {
    adding.emplace_back([&, i] {
      const std::string command =
          TestVariable("WALLPROF_TEST_VERSIONS_SUBJECT") + " '" + url + "' " +
          all[i];
      ended[i] = system(command.c_str());
    });
  }
  const auto versions = OpenAt(url);
  for (int i = 0; i < kThreads; ++i) {
    adding.emplace_back([&, i] {
      const absl::Status added = AddWords(*versions, all[2], i);
      EXPECT_TRUE(added.ok()) << added;
    });
  }
  disturb();
  for (std::thread& thread : adding) thread.join();
  EXPECT_THAT(ended, ElementsAre(0, 0));
  std::map<std::string, int> found, expected;
  for (const std::string& who : all) {
    for (int i = 0; i < kThreads * kWordsOfThread; ++i) {
      ++expected[who + "." + std::to_string(i / kWordsOfThread) + "." +
                 std::to_string(i % kWordsOfThread)];
    }
  }
  const auto version = versions->Get(kSharedApp);
  ASSERT_TRUE(version.ok()) << version.status();
  for (const absl::string_view word :
       absl::StrSplit(version->record, '\n', absl::SkipEmpty())) {
    ++found[std::string(word)];
  }
  EXPECT_EQ(found, expected);
}

}  // namespace wallprof::pgo
