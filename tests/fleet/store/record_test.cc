#include "fleet/store/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace wallprof::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Record SomeRecord(std::string_view payload = "a payload") {
  Record record;
  record.info.created_at = absl::FromUnixSeconds(1'800'000'000);
  record.info.id = MakeProfileId(record.info.created_at, payload);
  record.info.series = {"shop", "wall", {{"host", "a"}, {"host", "b"}}};
  record.encoding = Encoding::kZstd;
  record.dictionary = 300;
  record.message_bytes = 1 << 20;
  record.payload = payload;
  return record;
}

// What a scan finds: ids with offsets, and reasons with offsets.
struct Scanned {
  std::vector<std::pair<int64_t, std::string>> found;
  std::vector<std::pair<int64_t, std::string>> damaged;
};

Scanned Scan(std::string_view bytes) {
  Scanned scanned;
  int64_t expected = 0;
  const auto follows = [&expected](RecordPlace place) {
    EXPECT_EQ(place.offset, expected) << "nothing is left out";
    EXPECT_GT(place.bytes, 0);
    expected += place.bytes;
  };
  ScanRecords(
      bytes,
      [&](RecordPlace place, const Record& record) {
        follows(place);
        scanned.found.emplace_back(place.offset, record.payload);
      },
      [&](RecordPlace place, std::string_view reason) {
        follows(place);
        scanned.damaged.emplace_back(place.offset, reason);
      });
  EXPECT_EQ(expected, static_cast<int64_t>(bytes.size()));
  return scanned;
}

TEST(RecordTest, SurvivesBeingWritten) {
  const Record record = SomeRecord();
  const std::string bytes = EncodeRecord(record);
  const absl::StatusOr<Record> again = DecodeRecord(bytes);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->info.id, record.info.id);
  EXPECT_EQ(again->info.series, record.info.series);
  EXPECT_EQ(again->info.created_at, record.info.created_at);
  EXPECT_EQ(again->encoding, record.encoding);
  EXPECT_EQ(again->dictionary, record.dictionary);
  EXPECT_EQ(again->message_bytes, record.message_bytes);
  EXPECT_EQ(again->payload, record.payload);
}

TEST(RecordTest, KeepsWhatIsEmptyOrBeforeTheEpoch) {
  Record record;
  record.info.created_at = absl::FromUnixSeconds(-5);
  const absl::StatusOr<Record> again = DecodeRecord(EncodeRecord(record));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->info.created_at, record.info.created_at);
  EXPECT_THAT(again->info.id, IsEmpty());
  EXPECT_THAT(again->payload, IsEmpty());
}

TEST(RecordTest, EveryFlippedBitIsNoticed) {
  const std::string bytes = EncodeRecord(SomeRecord());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(DecodeRecord(flipped).status().code(),
              absl::StatusCode::kDataLoss)
        << bit;
  }
}

TEST(RecordTest, EveryTornEndIsNoticed) {
  const std::string bytes = EncodeRecord(SomeRecord());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(
        std::string(DecodeRecord(bytes.substr(0, size)).status().message()),
        HasSubstr("cut short"))
        << size;
  }
  EXPECT_FALSE(DecodeRecord(bytes + bytes).ok());
}

TEST(RecordScanTest, FindsAllRecords) {
  const std::string a = EncodeRecord(SomeRecord("a"));
  const std::string b = EncodeRecord(SomeRecord("b"));
  const Scanned scanned = Scan(a + b);
  EXPECT_THAT(
      scanned.found,
      ElementsAre(Pair(0, "a"), Pair(static_cast<int64_t>(a.size()), "b")));
  EXPECT_THAT(scanned.damaged, IsEmpty());
  EXPECT_THAT(Scan("").found, IsEmpty());
}

TEST(RecordScanTest, GoesOnBehindDamage) {
  const std::string a = EncodeRecord(SomeRecord("a"));
  const std::string b = EncodeRecord(SomeRecord("b"));
  const auto at_b = static_cast<int64_t>(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    std::string bytes = a + b;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
    const Scanned scanned = Scan(bytes);
    EXPECT_THAT(scanned.found, ElementsAre(Pair(at_b, "b"))) << i;
    EXPECT_THAT(scanned.damaged, ElementsAre(Pair(0, testing::_))) << i;
  }
  // Zeros are what a file system leaves of a write that was lost.
  const Scanned scanned = Scan(std::string(5000, '\0') + b);
  EXPECT_THAT(scanned.found, ElementsAre(Pair(5000, "b")));
  EXPECT_THAT(scanned.damaged, ElementsAre(Pair(0, "no record")));
}

TEST(RecordScanTest, WhatIsInATornPayloadIsNoRecord) {
  const std::string inner = EncodeRecord(SomeRecord("inner"));
  const std::string outer = EncodeRecord(SomeRecord(inner + "more"));
  const Scanned scanned = Scan(outer.substr(0, outer.size() - 1));
  EXPECT_THAT(scanned.found, IsEmpty());
  EXPECT_THAT(scanned.damaged, ElementsAre(Pair(0, "cut short")));
  std::string damaged = outer;
  damaged.back() = '!';
  EXPECT_THAT(Scan(damaged).found, IsEmpty());
}

}  // namespace
}  // namespace wallprof::store
