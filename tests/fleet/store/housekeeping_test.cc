// What goes by itself, and what is packed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/store/kept_profiles.h"
#include "fleet/store/local/repair.h"
#include "fleet/store/record.h"
#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HousekeepingTest : public testing::Test {
 protected:
  void Open(Retention retention = {}) {
    store_.reset();
    auto parts = local::OpenLocalParts(directory_.path(), files_, log_);
    ASSERT_TRUE(parts.ok()) << parts.status();
    index_ = parts->index.get();
    segments_ = parts->segments.get();
    KeepingOptions options;
    options.house.retention = std::move(retention);
    options.house.now = [this] { return now_; };
    options.packing = packing_;
    options.compresses_adds = compresses_adds_;
    options.keeps_house_every = absl::ZeroDuration();
    options.log = log_;
    store_ = std::make_unique<KeptProfiles>(
        fleet::File(), std::move(parts->index), std::move(parts->segments),
        std::move(options));
  }

  void Add(const ProfileInfo& info, const std::string& message) {
    const std::string gzipped = GzipOf(message);
    const auto added = store_->Add({info, message, gzipped});
    ASSERT_TRUE(added.ok()) << added.status();
    EXPECT_TRUE(*added);
  }

  // Calls `add` for 0 to `count`, in several threads, which share their writes.
  static void AddAtOnce(int count, const std::function<void(int)>& add) {
    constexpr int kThreads = 16;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&add, count, t] {
        for (int i = t; i < count; i += kThreads) add(i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void KeepHouse() {
    const absl::Status kept = store_->KeepHouse();
    EXPECT_TRUE(kept.ok()) << kept;
  }

  std::vector<absl::Time> Times(const std::string& selector = "") {
    std::vector<absl::Time> times;
    for (const auto& entry : FindAll(*store_, QueryOf(selector))) {
      times.push_back(entry.info.created_at);
    }
    return times;
  }

  const TemporaryDirectory directory_;
  absl::Time now_ = kSampleTime;
  local::SegmentFileOptions files_;
  bool compresses_adds_ = false;
  PackingPolicy packing_ = {.min_group_bytes = 0};
  std::vector<std::string> lines_;
  const fleet::LineLog log_ = [this](const fleet::LogLine& line) {
    lines_.push_back(line.text());
  };
  std::unique_ptr<KeptProfiles> store_;
  local::LocalIndex* index_ = nullptr;       // the store's
  local::SegmentFiles* segments_ = nullptr;  // the same
};

TEST_F(HousekeepingTest, ProfilesGoWhenTheyAreTooOld) {
  Retention retention;
  retention.max_age = absl::Hours(24);
  Open(retention);
  // More than are removed at once.
  AddAtOnce(1300, [this](int i) {
    Add(SampleInfo(i, kSampleTime + absl::Seconds(i)), "x");
  });
  now_ = kSampleTime + absl::Hours(24);
  KeepHouse();
  EXPECT_THAT(Times(), SizeIs(1300)) << "none is older than a day";
  now_ += absl::Seconds(1200);
  KeepHouse();
  EXPECT_THAT(Times(), SizeIs(100));
  EXPECT_EQ(Times().front(), kSampleTime + absl::Seconds(1200));
  EXPECT_EQ(store_->Stats()->expired, 1200);
  EXPECT_THAT(lines_, Contains(AllOf(HasSubstr("event=removed"),
                                     HasSubstr("profiles=1200"),
                                     HasSubstr("why=age"))));
}

TEST_F(HousekeepingTest, OfOldProfilesEachSeriesKeepsSome) {
  Retention retention;
  retention.thinning = {{absl::Hours(2), absl::Hours(1)}};
  Open(retention);
  const absl::Time begin = absl::FromUnixSeconds(1'800'000'000 / 3600 * 3600);
  int number = 0;
  for (int minute = 0; minute < 5 * 60; minute += 10) {
    for (const char* host : {"a", "b"}) {
      Add(SampleInfo(++number, begin + absl::Minutes(minute), "shop", host),
          "x");
    }
  }
  now_ = begin + absl::Hours(5) + absl::Minutes(30);
  KeepHouse();
  // Three whole hours are older than two; of the others all is there.
  for (const char* host : {"a", "b"}) {
    const auto times = Times(absl::StrCat("host=\"", host, "\""));
    ASSERT_THAT(times, SizeIs(3 + 2 * 6));
    for (int hour = 0; hour < 3; ++hour) {
      EXPECT_EQ(times[hour], begin + absl::Hours(hour));
    }
  }
  EXPECT_EQ(store_->Stats()->thinned, 2 * 3 * 5);
  KeepHouse();
  EXPECT_EQ(store_->Stats()->thinned, 2 * 3 * 5) << "nothing is left to thin";
  // What comes late is found within a day.
  Add(SampleInfo(++number, begin + absl::Minutes(1)), "x");
  now_ += absl::Hours(24);
  KeepHouse();
  EXPECT_THAT(Times("host=\"a\""), SizeIs(5));
}

TEST_F(HousekeepingTest, TheOldestGoWhereSpaceIsBounded) {
  files_.max_bytes = 20'000;
  Retention retention;
  retention.max_bytes = 100'000;
  Open(retention);
  for (int i = 0; i < 200; ++i) {
    Add(SampleInfo(i, kSampleTime + absl::Seconds(i)), SampleMessage(i, 5000));
  }
  const int64_t before = store_->Stats()->segment_bytes;
  EXPECT_GT(before, 2 * retention.max_bytes);
  KeepHouse();
  const auto statistics = store_->Stats();
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_LE(statistics->segment_bytes, retention.max_bytes);
  EXPECT_GT(statistics->evicted, 0);
  EXPECT_EQ(statistics->evicted + statistics->profiles, 200);
  const auto times = Times();
  EXPECT_EQ(times.back(), kSampleTime + absl::Seconds(199));
  EXPECT_EQ(times.front(), kSampleTime + absl::Seconds(statistics->evicted))
      << "the oldest have gone, and no others";
  const int64_t evicted = statistics->evicted;
  KeepHouse();
  EXPECT_EQ(store_->Stats()->evicted, evicted);
}

// Profiles of one service, as they are alike in life.
std::string AlikeMessage(int number) {
  return SampleMessage(1, 20'000) + SampleMessage(100 + number, 3000);
}

TEST_F(HousekeepingTest, PackedProfilesTakeHalf) {
  Open();
  for (int i = 0; i < 60; ++i) Add(SampleInfo(i), AlikeMessage(i));
  Open();
  const int64_t before = store_->Stats()->segment_bytes;
  KeepHouse();
  EXPECT_LT(store_->Stats()->segment_bytes, before / 2);
  EXPECT_EQ(store_->Stats()->segments, 1);
  EXPECT_THAT(lines_, Contains(AllOf(HasSubstr("event=packed"),
                                     HasSubstr("profiles=60"))));
  for (const IndexEntry& entry : FindAll(*store_)) {
    EXPECT_THAT(entry.place.segment, HasSubstr(".packed"));
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 60; ++i) {
      const auto entries = store_->Get({SampleInfo(i).id});
      ASSERT_THAT(*entries, SizeIs(1));
      const auto message = store_->Read(entries->front());
      ASSERT_TRUE(message.ok()) << message.status();
      EXPECT_EQ(*message, AlikeMessage(i));
    }
    Open();
  }
  lines_.clear();
  KeepHouse();
  EXPECT_THAT(lines_, IsEmpty()) << "it is packed already";
}

// A profile.proto of names alone.
std::string ProfileOf(int number) {
  std::string profile;
  for (int i = 0; i < 300; ++i) {
    const std::string name =
        absl::StrCat("function_", i * 31 % 97, "_", number);
    profile += "\x32";
    profile += static_cast<char>(name.size());
    profile += name;
  }
  return profile;
}

TEST_F(HousekeepingTest, ProfilesComeBackFromTheirColumns) {
  Open();
  for (int i = 0; i < 20; ++i) Add(SampleInfo(i), ProfileOf(i));
  Open();
  KeepHouse();
  const auto found = FindAll(*store_);
  ASSERT_THAT(found, SizeIs(20));
  for (int i = 0; i < 20; ++i) {
    const auto entries = index_->Get({SampleInfo(i).id});
    ASSERT_THAT(*entries, SizeIs(1));
    const auto bytes = segments_->Read(entries->front().place);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(DecodeRecord(*bytes)->encoding, Encoding::kColumns);
    EXPECT_EQ(store_->Read(entries->front()).value_or(""), ProfileOf(i));
  }
}

TEST_F(HousekeepingTest, WhereBytesTravelTheyAreCompressedBefore) {
  compresses_adds_ = true;
  Open();
  // Without a dictionary yet; then with the one that the first ones gave.
  for (int i = 0; i < 20; ++i) Add(SampleInfo(i), ProfileOf(i));
  Open();
  KeepHouse();
  for (int i = 20; i < 24; ++i) Add(SampleInfo(i), ProfileOf(i));
  Add(SampleInfo(24), AlikeMessage(24));  // no profile
  const auto entries = *store_->Get({SampleInfo(20).id, SampleInfo(24).id});
  ASSERT_THAT(entries, SizeIs(2));
  const auto bytes = segments_->Read(entries[0].place);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(DecodeRecord(*bytes)->encoding, Encoding::kColumns);
  EXPECT_GT(DecodeRecord(*bytes)->dictionary, 0);
  EXPECT_LT(entries[0].place.bytes,
            static_cast<int64_t>(GzipOf(ProfileOf(20)).size()));
  EXPECT_EQ(store_->Read(entries[0]).value_or(""), ProfileOf(20));
  EXPECT_EQ(store_->Read(entries[1]).value_or(""), AlikeMessage(24));
}

TEST_F(HousekeepingTest, WhatIsMostlyGoneIsPackedAgain) {
  Open();
  for (int i = 0; i < 40; ++i) Add(SampleInfo(i), AlikeMessage(i));
  Open();
  KeepHouse();
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(SampleInfo(i).id);
  ASSERT_TRUE(store_->Delete(ids).ok());
  const int64_t before = store_->Stats()->segment_bytes;
  KeepHouse();
  EXPECT_LT(store_->Stats()->segment_bytes, before / 2);
  EXPECT_EQ(store_->Stats()->segments, 1);
  const auto left = FindAll(*store_);
  ASSERT_THAT(left, SizeIs(10));
  EXPECT_TRUE(store_->Read(left.front()).ok());
}

TEST_F(HousekeepingTest, ManySmallSegmentsBecomeOne) {
  for (int i = 0; i < 20; ++i) {
    Open();
    Add(SampleInfo(i), AlikeMessage(i));
    Open();
    KeepHouse();
  }
  KeepHouse();
  EXPECT_LT(store_->Stats()->segments, 8);
  EXPECT_THAT(FindAll(*store_), SizeIs(20));
}

TEST_F(HousekeepingTest, LittleWaitsForMoreWhereWritingIsDear) {
  packing_.min_group_bytes = 1 << 20;
  Open();
  Add(SampleInfo(1), AlikeMessage(1));
  Open();
  KeepHouse();
  EXPECT_THAT(lines_, IsEmpty());
  packing_.max_wait = absl::ZeroDuration();
  Open();
  KeepHouse();
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("event=packed")));
}

TEST_F(HousekeepingTest, WhatCannotBeUnpackedIsKeptAsItIs) {
  Open();
  const auto added = store_->Add({SampleInfo(1), "message", "no gzip at all"});
  ASSERT_TRUE(added.ok()) << added.status();
  Add(SampleInfo(2), AlikeMessage(2));
  Open();
  KeepHouse();
  EXPECT_THAT(lines_, Contains(HasSubstr("event=not_packed")));
  EXPECT_EQ(store_->Stats()->profiles, 2);
  const auto entries = store_->Get({SampleInfo(1).id, SampleInfo(2).id});
  ASSERT_THAT(*entries, SizeIs(2));
  EXPECT_EQ(store_->Read((*entries)[0]).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(*store_->Read((*entries)[1]), AlikeMessage(2));
}

TEST_F(HousekeepingTest, ProfilesCanBeReadAndAddedWhileTheyArePacked) {
  files_.max_bytes = 30'000;
  Open();
  AddAtOnce(60, [this](int i) { Add(SampleInfo(i), AlikeMessage(i)); });
  std::atomic<bool> is_done = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!is_done) {
        for (const IndexEntry& entry : FindAll(*store_)) {
          // Where it was a moment ago, perhaps.
          const auto message = store_->Read(entry);
          EXPECT_TRUE(message.ok()) << message.status();
          ++reads;
        }
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 60; i < 90; ++i) Add(SampleInfo(i), AlikeMessage(i));
  });
  KeepHouse();
  KeepHouse();
  is_done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(reads.load(), Gt(0));
  EXPECT_EQ(store_->Stats()->profiles, 90);
  EXPECT_EQ(store_->Stats()->damaged, 0);
}

}  // namespace
}  // namespace wallprof::store
