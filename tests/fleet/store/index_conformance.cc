#include "tests/fleet/store/index_conformance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

void IndexConformance::SetUp() {
  place_ = GetParam()();
  Reopen();
}

void IndexConformance::Reopen() {
  index_.reset();
  auto opened = place_->Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  index_ = *std::move(opened);
}

void IndexConformance::Add(const std::vector<IndexEntry>& entries) {
  const auto added = index_->Add(entries);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT(*added, SizeIs(entries.size()));
  EXPECT_THAT(*added, Each(true));
}

SegmentUse IndexConformance::UseOf(const std::string& segment) {
  const auto uses = index_->ListSegments();
  EXPECT_TRUE(uses.ok()) << uses.status();
  for (const SegmentUse& use : *uses) {
    if (use.segment == segment) return use;
  }
  return {};
}

namespace {

TEST_P(IndexConformance, GivesBackWhatWasAdded) {
  const IndexEntry entry = SampleEntry(1);
  Add({entry});
  for (const auto& found : {FindAll(*index_), *index_->Get({entry.info.id})}) {
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].info.id, entry.info.id);
    EXPECT_EQ(found[0].info.series, entry.info.series);
    EXPECT_EQ(found[0].info.created_at, entry.info.created_at);
    EXPECT_EQ(found[0].place, entry.place);
    EXPECT_EQ(found[0].message_bytes, entry.message_bytes);
  }
}

TEST_P(IndexConformance, KeepsLabelsAsTheyAre) {
  IndexEntry entry = SampleEntry(1);
  entry.info.series.labels = {{"", ""},
                              {"a", "1"},
                              {"a", "2"},
                              {"b", "\"quoted\", \\ {x}"},
                              {"c", "z\xc3\xbcrich\n"}};
  Add({entry});
  Reopen();
  const auto found = FindAll(*index_);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].info.series, entry.info.series);
}

TEST_P(IndexConformance, OneIdIsThereOnce) {
  const IndexEntry entry = SampleEntry(1);
  IndexEntry other = entry;
  other.place.segment = "2.received";
  other.info.series.service = "another";
  const auto added = index_->Add({entry, other, SampleEntry(2)});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT(*added, ElementsAre(true, false, true));
  const auto again = index_->Add({other});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(*again, ElementsAre(false));
  EXPECT_THAT(FindAll(*index_), SizeIs(2));
  EXPECT_EQ(*index_->CountSeries(), 1);
  EXPECT_EQ(UseOf("2.received").profiles, 0);
}

TEST_P(IndexConformance, FindsInTheOrderOfTimeAndId) {
  std::vector<IndexEntry> entries;
  for (int i = 0; i < 60; ++i) {
    entries.push_back(SampleEntry(i, kSampleTime + absl::Seconds(i * 7 % 20)));
    entries.back().info.series.service = absl::StrCat("service", i % 5);
    entries.back().info.series.labels = {{"host", absl::StrCat(i % 3)}};
  }
  Add(entries);
  const auto before = [](const IndexEntry& a, const IndexEntry& b) {
    return std::tie(a.info.created_at, a.info.id) <
           std::tie(b.info.created_at, b.info.id);
  };
  for (const char* selector :
       {"", R"(service=~"service[123]")", R"(host="1")", R"(host!="1")",
        R"(service="service1",host="2")"}) {
    const Query query = QueryOf(selector);
    const auto found = FindAll(*index_, query);
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end(), before)) << selector;
    const auto matching =
        std::count_if(entries.begin(), entries.end(), [&](const auto& entry) {
          return query.selector.Matches(entry.info.series);
        });
    EXPECT_THAT(found, SizeIs(matching)) << selector;
  }
}

TEST_P(IndexConformance, BothEndsBelongToTheTime) {
  for (int i = 0; i < 5; ++i) {
    Add({SampleEntry(i, kSampleTime + absl::Seconds(i))});
  }
  const auto count = [&](absl::Time from, absl::Time to) {
    return FindAll(*index_, QueryOf("", from, to)).size();
  };
  const absl::Duration half = absl::Milliseconds(500);
  EXPECT_EQ(
      count(kSampleTime + absl::Seconds(1), kSampleTime + absl::Seconds(3)), 3);
  EXPECT_EQ(count(kSampleTime + half, kSampleTime + absl::Seconds(3) + half),
            3);
  EXPECT_EQ(count(kSampleTime - half, kSampleTime - absl::Nanoseconds(1)), 0);
  EXPECT_EQ(count(kSampleTime, kSampleTime), 1);
  EXPECT_EQ(count(absl::InfinitePast(), absl::InfiniteFuture()), 5);
  EXPECT_EQ(count(kSampleTime + absl::Seconds(3), kSampleTime), 0);
}

TEST_P(IndexConformance, StopsFindingWhenTold) {
  for (int i = 0; i < 5; ++i) {
    Add({SampleEntry(i, kSampleTime + absl::Seconds(i))});
  }
  int given = 0;
  const absl::Status found =
      index_->Find({}, [&](const IndexEntry&) { return ++given < 2; });
  EXPECT_TRUE(found.ok()) << found;
  EXPECT_EQ(given, 2);
}

TEST_P(IndexConformance, FindsOneAmongManySeries) {
  std::vector<IndexEntry> entries;
  for (int i = 0; i < 200; ++i) {
    entries.push_back(SampleEntry(i));
    entries.back().info.series.labels = {{"host", absl::StrCat(i)}};
  }
  Add(entries);
  EXPECT_THAT(IdsOf(FindAll(*index_, QueryOf(R"(service="shop",host="77")"))),
              ElementsAre(entries[77].info.id));
  const auto series = index_->FindSeries(QueryOf(R"(host=~"7.")"));
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_THAT(*series, SizeIs(10));
  EXPECT_TRUE(std::is_sorted(series->begin(), series->end()));
}

TEST_P(IndexConformance, GetsInTheOrderAskedFor) {
  Add({SampleEntry(1), SampleEntry(2), SampleEntry(3)});
  const auto got =
      index_->Get({SampleEntry(3).info.id, "none", SampleEntry(1).info.id});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_THAT(IdsOf(*got),
              ElementsAre(SampleEntry(3).info.id, SampleEntry(1).info.id));
  EXPECT_THAT(*index_->Get({}), IsEmpty());
}

TEST_P(IndexConformance, RemovesAndSaysWhat) {
  Add({SampleEntry(1), SampleEntry(2)});
  const auto removed =
      index_->Remove({SampleEntry(2).info.id, "none", SampleEntry(2).info.id});
  ASSERT_TRUE(removed.ok()) << removed.status();
  ASSERT_THAT(*removed, SizeIs(1));
  EXPECT_EQ(removed->front().place, SampleEntry(2).place);
  EXPECT_EQ(UseOf("1.received").profiles, 1);
  EXPECT_EQ(UseOf("1.received").bytes, 100);
  ASSERT_TRUE(index_->Remove({SampleEntry(1).info.id}).ok());
  EXPECT_EQ(*index_->CountSeries(), 0);
  Reopen();
  EXPECT_THAT(FindAll(*index_), IsEmpty());
  Add({SampleEntry(1)});
}

TEST_P(IndexConformance, SeriesAreThoseWithAProfileInTheTime) {
  IndexEntry later = SampleEntry(2, kSampleTime + absl::Hours(1));
  later.info.series.type = "cpu";
  Add({SampleEntry(1), later});
  const auto in = [&](absl::Time from, absl::Time to) {
    const auto series = index_->FindSeries(QueryOf("", from, to));
    EXPECT_TRUE(series.ok()) << series.status();
    return *series;
  };
  EXPECT_THAT(in(kSampleTime, kSampleTime),
              ElementsAre(SampleEntry(1).info.series));
  EXPECT_THAT(in(kSampleTime + absl::Seconds(1), absl::InfiniteFuture()),
              ElementsAre(later.info.series));
  EXPECT_THAT(in(absl::InfinitePast(), absl::InfiniteFuture()), SizeIs(2));
}

TEST_P(IndexConformance, CountsWhatSegmentsHold) {
  Add({SampleEntry(1), SampleEntry(2, kSampleTime + absl::Seconds(9)),
       SampleEntry(3, kSampleTime, "2.received")});
  const SegmentUse use = UseOf("1.received");
  EXPECT_EQ(use.profiles, 2);
  EXPECT_EQ(use.bytes, 200);
  EXPECT_EQ(use.newest, kSampleTime + absl::Seconds(9));
  ASSERT_TRUE(index_->Remove({SampleEntry(3).info.id}).ok());
  const auto uses = index_->ListSegments();
  ASSERT_TRUE(uses.ok()) << uses.status();
  EXPECT_THAT(*uses, SizeIs(2)) << "until they are forgotten";
  ASSERT_TRUE(index_->ForgetSegment("2.received").ok());
  ASSERT_TRUE(index_->ForgetSegment("2.received").ok());
  EXPECT_THAT(*index_->ListSegments(), SizeIs(1));
}

TEST_P(IndexConformance, RelocatesWhatIsStillThere) {
  Add({SampleEntry(1), SampleEntry(2), SampleEntry(3)});
  ASSERT_TRUE(index_->Remove({SampleEntry(2).info.id}).ok());
  std::vector<Index::Move> moves;
  for (int i = 1; i <= 3; ++i) {
    moves.push_back({SampleEntry(i).info.id,
                     SampleEntry(i).place,
                     {"1.packed", 10 * i, 10}});
  }
  moves[2].from.offset = 7;  // it is not there
  const absl::Status moved = index_->Relocate(moves);
  ASSERT_TRUE(moved.ok()) << moved;
  Reopen();
  EXPECT_EQ(UseOf("1.packed").profiles, 1);
  EXPECT_EQ(UseOf("1.packed").bytes, 10);
  EXPECT_EQ(UseOf("1.packed").newest, kSampleTime);
  EXPECT_EQ(UseOf("1.received").profiles, 1);
  EXPECT_EQ(UseOf("1.received").bytes, 100);
  const auto got = index_->Get({moves[0].id, moves[1].id, moves[2].id});
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_THAT(*got, SizeIs(2));
  EXPECT_EQ(got->front().place, moves[0].to);
  EXPECT_EQ(got->back().place, SampleEntry(3).place);
}

TEST_P(IndexConformance, KeepsDictionaries) {
  EXPECT_FALSE(index_->LatestDictionary("shop")->has_value());
  const std::string bytes("\0\xff dictionary", 13);
  const auto first = index_->AddDictionary("shop", bytes);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = index_->AddDictionary("shop", "newer");
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_TRUE(index_->AddDictionary("bank", "other").ok());
  EXPECT_GT(*first, 0);
  EXPECT_GT(*second, *first);
  Reopen();
  const auto dictionary = index_->GetDictionary(*first);
  ASSERT_TRUE(dictionary.ok()) << dictionary.status();
  EXPECT_EQ(dictionary->bytes, bytes);
  const auto latest = index_->LatestDictionary("shop");
  ASSERT_TRUE(latest.ok()) << latest.status();
  ASSERT_TRUE(latest->has_value());
  EXPECT_EQ((*latest)->id, *second);
  EXPECT_EQ((*latest)->bytes, "newer");
  EXPECT_EQ(index_->GetDictionary(12345).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(IndexConformance, ServesSeveralThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i) {
        IndexEntry entry = SampleEntry(t * kEach + i);
        entry.info.series.labels = {{"host", absl::StrCat(i)}};
        Add({entry});
        EXPECT_THAT(IdsOf(FindAll(*index_)), Contains(entry.info.id));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(FindAll(*index_), SizeIs(kThreads * kEach));
  EXPECT_EQ(*index_->CountSeries(), kEach);
}

TEST_P(IndexConformance, OneAtLeastKeepsHouse) {
  const auto leads = index_->Lead(absl::Minutes(1));
  ASSERT_TRUE(leads.ok()) << leads.status();
  EXPECT_TRUE(*leads);
  const absl::Status usable = index_->Check();
  EXPECT_TRUE(usable.ok()) << usable;
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(IndexConformance);

}  // namespace wallprof::store
