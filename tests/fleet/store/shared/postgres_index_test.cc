// servers_test.py starts the server.
#include "fleet/store/shared/postgres_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/fleet/store/shared/servers.h"

namespace wallprof::store::shared {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNoon = 1'767'268'800;  // of 1 January 2026
constexpr int64_t kDay = 86400;

std::unique_ptr<Index> Open(const std::string& url) {
  auto index = MakePostgresIndex(url);
  EXPECT_TRUE(index.ok()) << index.status();
  return index.ok() ? *std::move(index) : nullptr;
}

std::vector<std::string> Find(Index& index, const Query& query,
                              size_t most = 1'000'000) {
  std::vector<std::string> ids;
  const absl::Status found = index.Find(query, [&](const IndexEntry& entry) {
    ids.push_back(entry.info.id);
    return ids.size() < most;
  });
  EXPECT_TRUE(found.ok()) << found;
  return ids;
}

Query Select(const std::string& selector) {
  return {Selector::Parse(selector).value()};
}

class PostgresIndexTest : public ::testing::Test {
 protected:
  const std::string url_ = FreshPostgresUrl();
  const std::unique_ptr<Index> index_ = Open(url_);
};

TEST_F(PostgresIndexTest, EntriesComeBackAsTheyWere) {
  IndexEntry entry = MakeEntry(kNoon, "a");
  entry.info.series.service = std::string("bytes \0\xff\"\\{},'", 14);
  entry.info.series.labels = {{"", ""}, {"key", ""}, {"key", "NULL"}};
  entry.place = {"v1/with \"quotes\" \\ and {},", int64_t{1} << 40, 7};
  ASSERT_THAT(index_->Add({entry}).value(), ElementsAre(true));
  // Also for who does not remember them.
  const auto other = Open(url_);
  const auto found = other->Get({entry.info.id});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ((*found)[0].info.id, entry.info.id);
  EXPECT_EQ((*found)[0].info.series, entry.info.series);
  EXPECT_EQ((*found)[0].info.created_at, entry.info.created_at);
  EXPECT_EQ((*found)[0].place, entry.place);
  EXPECT_EQ((*found)[0].message_bytes, entry.message_bytes);
}

TEST_F(PostgresIndexTest, SaysWhichAreNew) {
  const IndexEntry a = MakeEntry(kNoon, "a");
  const IndexEntry b = MakeEntry(kNoon + 3 * kDay, "b");
  EXPECT_THAT(index_->Add({a, b, a}).value(), ElementsAre(true, true, false));
  EXPECT_THAT(index_->Add({b, MakeEntry(kNoon, "c")}).value(),
              ElementsAre(false, true));
  EXPECT_THAT(index_->Add({}).value(), IsEmpty());
}

TEST_F(PostgresIndexTest, AnIdOfAnotherTimeIsRefused) {
  IndexEntry entry = MakeEntry(kNoon, "a");
  entry.info.created_at += absl::Seconds(1);
  EXPECT_TRUE(absl::IsInvalidArgument(index_->Add({entry}).status()));
  entry.info.id = "no id";
  EXPECT_TRUE(absl::IsInvalidArgument(index_->Add({entry}).status()));
  EXPECT_THAT(Find(*index_, {}), IsEmpty());
}

TEST_F(PostgresIndexTest, FindsInOrderOverManyDaysAndPages) {
  std::vector<IndexEntry> entries;
  for (int64_t i = 0; i < 6000; ++i) {
    // Two of each second; every 3000th is a month away.
    entries.push_back(
        MakeEntry(kNoon + i / 2 * 61 % kDay + i / 3000 * 30 * kDay,
                  std::to_string(i), i % 5 == 0 ? "db" : "shop"));
  }
  ASSERT_TRUE(index_->Add(entries).ok());
  std::set<std::pair<absl::Time, std::string>> all, db;
  for (const IndexEntry& entry : entries) {
    all.emplace(entry.info.created_at, entry.info.id);
    if (entry.info.series.service == "db" &&
        entry.info.series.labels[0].second != "h1") {
      db.emplace(entry.info.created_at, entry.info.id);
    }
  }
  const auto ids_of = [](const auto& sorted) {
    std::vector<std::string> ids;
    for (const auto& [time, id] : sorted) ids.push_back(id);
    return ids;
  };
  EXPECT_EQ(Find(*index_, {}), ids_of(all));
  EXPECT_EQ(Find(*index_, Select("service=\"db\",host!=\"h1\"")), ids_of(db));
  EXPECT_THAT(Find(*index_, Select("service=\"none\"")), IsEmpty());
  const std::vector<std::string> first = Find(*index_, {}, 10);
  EXPECT_EQ(first.size(), 10u);
  EXPECT_EQ(first.back(), ids_of(all)[9]);
}

TEST_F(PostgresIndexTest, BothEndsBelongToTheTime) {
  std::vector<IndexEntry> entries;
  for (int i = 0; i < 5; ++i) {
    entries.push_back(MakeEntry(kNoon + i, std::to_string(i)));
  }
  ASSERT_TRUE(index_->Add(entries).ok());
  const auto between = [&](absl::Duration from, absl::Duration to) {
    const absl::Time noon = absl::FromUnixSeconds(kNoon);
    return Find(*index_, {{}, noon + from, noon + to}).size();
  };
  EXPECT_EQ(between(absl::Seconds(1), absl::Seconds(3)), 3u);
  EXPECT_EQ(between(absl::Seconds(0.5), absl::Seconds(3.9)), 3u);
  EXPECT_EQ(between(absl::Seconds(3), absl::Seconds(1)), 0u);
  EXPECT_EQ(between(absl::Seconds(1.2), absl::Seconds(1.8)), 0u);
  EXPECT_EQ(Find(*index_, {{}, absl::InfiniteFuture()}).size(), 0u);
  EXPECT_EQ(Find(*index_, {{}, absl::InfinitePast(), absl::InfinitePast()}),
            std::vector<std::string>());
}

TEST_F(PostgresIndexTest, TimesOfAllKinds) {
  const int64_t last = (int64_t{1} << 40) - 1;
  for (const int64_t second : {int64_t{0}, kDay - 1, kDay, last}) {
    EXPECT_THAT(index_->Add({MakeEntry(second, "a")}).value(),
                ElementsAre(true))
        << second;
  }
  EXPECT_EQ(Find(*index_, {}).size(), 4u);
}

TEST_F(PostgresIndexTest, GetAndRemoveByIds) {
  const IndexEntry a = MakeEntry(kNoon, "a"), b = MakeEntry(kNoon + kDay, "b"),
                   c = MakeEntry(kNoon, "c");
  ASSERT_TRUE(index_->Add({a, b, c}).ok());
  const auto ids_of = [](const auto& entries) {
    std::vector<std::string> ids;
    for (const IndexEntry& entry : entries.value()) {
      ids.push_back(entry.info.id);
    }
    return ids;
  };
  const std::string never = MakeProfileId(absl::UnixEpoch(), "never");
  EXPECT_THAT(ids_of(index_->Get({b.info.id, "no id", never, a.info.id})),
              ElementsAre(b.info.id, a.info.id));
  EXPECT_THAT(ids_of(index_->Remove({b.info.id, never, "", a.info.id})),
              ElementsAre(b.info.id, a.info.id));
  EXPECT_THAT(ids_of(index_->Remove({b.info.id})), IsEmpty());
  EXPECT_THAT(Find(*index_, {}), ElementsAre(c.info.id));
  EXPECT_THAT(index_->Add({a}).value(), ElementsAre(true)) << "again";
}

TEST_F(PostgresIndexTest, SeriesThatHaveAProfileInTheTime) {
  ASSERT_TRUE(index_
                  ->Add({MakeEntry(kNoon, "a", "shop"),
                         MakeEntry(kNoon + 5 * kDay, "b", "db"),
                         MakeEntry(kNoon + 5 * kDay, "c", "shop")})
                  .ok());
  EXPECT_EQ(index_->FindSeries({}).value().size(), 2u);
  const auto found = index_->FindSeries(
      {Selector::Parse("service=~\"d.\"").value(), absl::FromUnixSeconds(kNoon),
       absl::FromUnixSeconds(kNoon + 6 * kDay)});
  ASSERT_EQ(found.value().size(), 1u);
  EXPECT_EQ((*found)[0].service, "db");
  EXPECT_THAT(index_
                  ->FindSeries({Selector::Parse("service=\"db\"").value(),
                                absl::FromUnixSeconds(kNoon),
                                absl::FromUnixSeconds(kNoon + kDay)})
                  .value(),
              IsEmpty());
  EXPECT_EQ(index_->CountSeries().value(), 2);
}

// --- segments ----------------------------------------------------------------

TEST_F(PostgresIndexTest, SegmentsKnowWhatTheyHaveLeft) {
  const IndexEntry a = MakeEntry(kNoon, "a", "shop", "s1"),
                   b = MakeEntry(kNoon + 9 * kDay, "b", "shop", "s1"),
                   c = MakeEntry(kNoon + 5 * kDay, "c", "shop", "s1");
  ASSERT_TRUE(index_->Add({a, b}).ok());
  ASSERT_TRUE(index_->Add({c, b}).ok());
  const auto only = [&] {
    const auto uses = index_->ListSegments();
    EXPECT_TRUE(uses.ok()) << uses.status();
    EXPECT_EQ(uses->size(), 1u);
    return uses->at(0);
  };
  EXPECT_EQ(only().profiles, 3);
  EXPECT_EQ(only().bytes, 300);
  EXPECT_EQ(only().newest, b.info.created_at);
  ASSERT_TRUE(index_->Remove({b.info.id}).ok());
  EXPECT_EQ(only().profiles, 2);
  EXPECT_EQ(only().newest, c.info.created_at);
  EXPECT_FALSE(index_->ForgetSegment("s1").ok()) << "it has profiles";
  ASSERT_TRUE(index_->Remove({a.info.id, c.info.id}).ok());
  EXPECT_EQ(only().segment, "s1");
  EXPECT_EQ(only().profiles, 0);
  EXPECT_EQ(only().bytes, 0);
  ASSERT_TRUE(index_->ForgetSegment("s1").ok());
  ASSERT_TRUE(index_->ForgetSegment("s1").ok()) << "also where there is none";
  EXPECT_THAT(index_->ListSegments().value(), IsEmpty());
}

TEST_F(PostgresIndexTest, RelocatesWhatIsWhereItWas) {
  const IndexEntry a = MakeEntry(kNoon, "a", "shop", "s1"),
                   b = MakeEntry(kNoon + kDay, "b", "shop", "s1"),
                   c = MakeEntry(kNoon + kDay, "c", "shop", "s2");
  ASSERT_TRUE(index_->Add({a, b, c}).ok());
  const Place to_a = {"s3", 0, 50}, to_b = {"s3", 50, 60},
              to_c = {"s3", 110, 1};
  ASSERT_TRUE(index_
                  ->Relocate({{b.info.id, b.place, to_b},
                              {c.info.id, {"s9", 0, 1}, to_c},
                              {"no id", a.place, to_a}})
                  .ok());
  ASSERT_TRUE(index_->Relocate({{b.info.id, b.place, to_a}}).ok());
  const auto place_of = [&](const IndexEntry& entry) {
    return index_->Get({entry.info.id}).value().at(0).place;
  };
  EXPECT_EQ(place_of(a), a.place);
  EXPECT_EQ(place_of(b), to_b) << "once";
  EXPECT_EQ(place_of(c), c.place) << "it was not at s9";
  const auto uses = index_->ListSegments().value();
  ASSERT_EQ(uses.size(), 3u);
  EXPECT_EQ(uses[0].profiles, 1);
  EXPECT_EQ(uses[0].newest, a.info.created_at) << "of what has stayed";
  EXPECT_EQ(uses[2].segment, "s3");
  EXPECT_EQ(uses[2].profiles, 1);
  EXPECT_EQ(uses[2].bytes, 60);
  EXPECT_EQ(uses[2].newest, b.info.created_at);
}

TEST_F(PostgresIndexTest, Dictionaries) {
  EXPECT_FALSE(index_->LatestDictionary("shop").value().has_value());
  const int64_t first = index_->AddDictionary("shop", "words").value();
  const int64_t second =
      index_->AddDictionary("shop", std::string("\0\xff", 2)).value();
  ASSERT_TRUE(index_->AddDictionary("db", "others").ok());
  EXPECT_GT(first, 0);
  EXPECT_GT(second, first);
  EXPECT_EQ(index_->GetDictionary(first).value().bytes, "words");
  EXPECT_EQ(index_->LatestDictionary("shop").value()->id, second);
  EXPECT_EQ(index_->LatestDictionary("shop").value()->bytes,
            std::string("\0\xff", 2));
  EXPECT_TRUE(absl::IsNotFound(index_->GetDictionary(99).status()));
}

}  // namespace
}  // namespace wallprof::store::shared
