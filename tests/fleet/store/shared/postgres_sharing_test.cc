// Several collectors that share an index, and what goes wrong with its server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "fleet/store/shared/postgres_index.h"
#include "tests/fleet/store/shared/servers.h"

namespace wallprof::store::shared {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNoon = 1'767'268'800;  // of 1 January 2026
constexpr int64_t kDay = 86400;

std::unique_ptr<Index> Open(const std::string& url) {
  auto index = MakePostgresIndex(url);
  EXPECT_TRUE(index.ok()) << index.status();
  return index.ok() ? *std::move(index) : nullptr;
}

size_t CountProfiles(Index& index) {
  size_t profiles = 0;
  const absl::Status found = index.Find({}, [&](const IndexEntry&) {
    ++profiles;
    return true;
  });
  EXPECT_TRUE(found.ok()) << found;
  return profiles;
}

TEST(SharedIndexTest, TablesAreMadeOnceByAllWhoStart) {
  const std::string url = FreshPostgresUrl();
  std::vector<std::thread> threads;
  std::atomic<int> opened{0}, added{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto index = Open(url);
      opened += index != nullptr;
      // They make the same days and series too.
      added += index->Add({MakeEntry(kNoon, std::to_string(i))}).ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, 8);
  EXPECT_EQ(added, 8);
  EXPECT_EQ(CountProfiles(*Open(url)), 8u);
}

TEST(SharedIndexTest, TheSameProfilesThroughSeveralAreNewOnce) {
  const std::string url = FreshPostgresUrl();
  std::vector<std::thread> threads;
  std::atomic<int> added{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto index = Open(url);
      for (int round = 0; round < 20; ++round) {
        std::vector<IndexEntry> entries;
        for (int i = 0; i < 30; ++i) {
          entries.push_back(MakeEntry(kNoon + i * kDay / 7,
                                      std::to_string(round * 30 + i), "shop",
                                      "s" + std::to_string(t)));
        }
        if (t % 2 == 1) std::reverse(entries.begin(), entries.end());
        const auto is_new = index->Add(entries);
        ASSERT_TRUE(is_new.ok()) << is_new.status();
        added +=
            static_cast<int>(std::count(is_new->begin(), is_new->end(), true));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(added, 600);
  const auto index = Open(url);
  EXPECT_EQ(CountProfiles(*index), 600u);
  int64_t in_segments = 0;
  const auto listed = index->ListSegments().value();
  for (const SegmentUse& use : listed) {
    in_segments += use.profiles;
  }
  EXPECT_EQ(in_segments, 600);
}

// Moving and removing the same at once: each is removed by one, and what
// segments count is what is there.
TEST(SharedIndexTest, MovedAndRemovedBySeveral) {
  const std::string url = FreshPostgresUrl();
  constexpr int kProfiles = 400;
  std::vector<IndexEntry> entries;
  std::vector<std::string> ids;
  std::vector<Index::Move> moves;
  for (int i = 0; i < kProfiles; ++i) {
    entries.push_back(
        MakeEntry(kNoon + i * kDay / 100, std::to_string(i), "shop", "from"));
    if (i % 2 == 0) ids.push_back(entries.back().info.id);
    moves.push_back(
        {entries.back().info.id, entries.back().place, {"to", i * 10, 10}});
  }
  ASSERT_TRUE(Open(url)->Add(entries).ok());
  std::atomic<size_t> removed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const auto index = Open(url);
      if (t == 2) {
        EXPECT_TRUE(index->Relocate(moves).ok());
        return;
      }
      for (size_t i = 0; i < ids.size(); i += 20) {
        std::vector<std::string> some(ids.begin() + i, ids.begin() + i + 20);
        if (t == 1) std::reverse(some.begin(), some.end());
        const auto gone = index->Remove(some);
        ASSERT_TRUE(gone.ok()) << gone.status();
        removed += gone->size();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(removed, ids.size());
  const auto index = Open(url);
  const auto uses = index->ListSegments().value();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].profiles, 0) << uses[0].segment;
  EXPECT_EQ(uses[0].bytes, 0);
  EXPECT_EQ(uses[1].profiles, kProfiles / 2);
  EXPECT_EQ(uses[1].bytes, kProfiles / 2 * 10);
  EXPECT_EQ(uses[1].newest, entries.back().info.created_at);
}

TEST(SharedIndexTest, OneLeads) {
  const std::string url = FreshPostgresUrl();
  const auto a = Open(url), b = Open(url);
  EXPECT_TRUE(a->Lead(absl::Hours(1)).value());
  EXPECT_FALSE(b->Lead(absl::Hours(1)).value());
  EXPECT_TRUE(a->Lead(absl::Milliseconds(1)).value()) << "goes on";
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_TRUE(b->Lead(absl::Hours(1)).value()) << "the term is over";
  EXPECT_FALSE(a->Lead(absl::Hours(1)).value());
}

TEST(SharedIndexTest, WhoLeadsClearsAwayWhatIsEmpty) {
  const std::string url = FreshPostgresUrl();
  const auto index = Open(url);
  const IndexEntry old = MakeEntry(kNoon, "a", "gone"),
                   kept = MakeEntry(kNoon + 3 * kDay, "b", "kept");
  ASSERT_TRUE(index->Add({old, kept}).ok());
  ASSERT_TRUE(index->Remove({old.info.id}).ok());
  AskPostgres(url,
              "UPDATE wallprof_series SET used_at = now() - interval '3 d'");
  ASSERT_TRUE(Open(url)->Lead(absl::Milliseconds(1)).value());
  EXPECT_EQ(AskPostgres(url,
                        "SELECT string_agg(day::text, ' ') FROM "
                        "wallprof_days"),
            std::to_string(kNoon / kDay + 3));
  EXPECT_EQ(AskPostgres(url,
                        "SELECT count(*) FROM pg_inherits WHERE inhparent "
                        "= 'wallprof_profiles'::regclass"),
            "1");
  EXPECT_EQ(index->CountSeries().value(), 1);
  // A collector that knew the day finds that it is gone, and makes it anew.
  EXPECT_THAT(index->Add({MakeEntry(kNoon, "c", "kept")}).value(),
              ElementsAre(true));
  EXPECT_EQ(CountProfiles(*index), 2u);
}

// --- what goes wrong ---------------------------------------------------------

TEST(SharedIndexTest, UrlsThatCannotBe) {
  const absl::Status unread =
      MakePostgresIndex("postgresql://h/db?sslmood=x").status();
  EXPECT_TRUE(absl::IsInvalidArgument(unread)) << unread;
  EXPECT_THAT(std::string(unread.message()), HasSubstr("invalid URI"));
}

TEST(SharedIndexTest, WhoMayNotWriteIsTold) {
  const std::string url = FreshPostgresUrl();
  AskPostgres(url, "DROP ROLE IF EXISTS reader");
  AskPostgres(url, "CREATE ROLE reader LOGIN");
  std::string as_reader = url;
  as_reader.replace(as_reader.find("wallprof@"), 9, "reader:hunter2@");
  const absl::Status status = MakePostgresIndex(as_reader).status();
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  AskPostgres(url, "DROP ROLE reader");
}

TEST(SharedIndexTest, TablesOfANewerVersionAreLeftAlone) {
  const std::string url = FreshPostgresUrl();
  ASSERT_NE(Open(url), nullptr);
  AskPostgres(url, "UPDATE wallprof_store SET version = 2");
  const absl::Status status = MakePostgresIndex(url).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST(SharedIndexTest, TablesThatAreGoneAreDamage) {
  const std::string url = FreshPostgresUrl();
  const auto index = Open(url);
  AskPostgres(url, "DROP TABLE wallprof_profiles");
  ASSERT_TRUE(index->Check().ok());
  const absl::Status status =
      index->Get({MakeEntry(kNoon, "a").info.id}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST(SharedIndexTest, WhatAnEndedServerKnewIsNeitherLostNorDoubled) {
  const std::string url = FreshPostgresUrl();
  constexpr int kThreads = 4, kRounds = 60, kBatch = 5;
  std::vector<std::thread> threads;
  std::atomic<int> rounds{0}, is_new{0};
  const auto index = Open(url);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        std::vector<IndexEntry> entries;
        for (int i = 0; i < kBatch; ++i) {
          const std::string name = std::to_string(t) + "/" +
                                   std::to_string(round) + "/" +
                                   std::to_string(i);
          entries.push_back(MakeEntry(kNoon + round * 3000, name, "shop",
                                      name.substr(0, name.size() - 2)));
        }
        const auto added = index->Add(entries);
        ASSERT_TRUE(added.ok()) << added.status();
        is_new +=
            static_cast<int>(std::count(added->begin(), added->end(), true));
        ++rounds;
      }
    });
  }
  for (int killed = 1; killed <= 2; ++killed) {
    while (rounds < killed * kThreads * kRounds / 3) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    KillPostgres();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(is_new, kThreads * kRounds * kBatch) << "also those whose answer "
                                                    "was lost";
  EXPECT_EQ(CountProfiles(*index),
            static_cast<size_t>(kThreads * kRounds * kBatch));
  const auto listed = index->ListSegments().value();
  for (const SegmentUse& use : listed) {
    EXPECT_EQ(use.profiles, kBatch) << use.segment;
  }
}

TEST(SharedIndexTest, AFindGoesOnBehindARestart) {
  const std::string url = FreshPostgresUrl();
  const auto index = Open(url);
  std::vector<IndexEntry> entries;
  for (int i = 0; i < 3000; ++i) {
    entries.push_back(MakeEntry(kNoon + i, std::to_string(i)));
  }
  ASSERT_TRUE(index->Add(entries).ok());
  size_t found = 0;
  const absl::Status status = index->Find({}, [&](const IndexEntry& entry) {
    EXPECT_EQ(entry.info.id, entries[found].info.id);
    if (++found == 100) KillPostgres();
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(found, entries.size());
}

}  // namespace
}  // namespace wallprof::store::shared
