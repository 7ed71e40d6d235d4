#include "fleet/store/shared/object_segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/store/shared/extent_cache.h"
#include "tests/fleet/store/shared/servers.h"

namespace wallprof::store::shared {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;

std::unique_ptr<Segments> Open(const std::string& url) {
  auto segments = MakeObjectSegments(url);
  EXPECT_TRUE(segments.ok()) << segments.status();
  return segments.ok() ? *std::move(segments) : nullptr;
}

std::string Bytes(size_t size, int seed) {
  std::string bytes(size, '\0');
  unsigned state = seed;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(ObjectSegmentsTest, RecordsOfOneWriteAreOneObject) {
  const ObjectUrls urls = FreshObjectUrls();
  const auto segments = Open(urls.straight);
  const std::vector<std::string> records = {Bytes(1000, 1), "",
                                            Bytes(300'000, 2), "last"};
  const auto places = segments->Write(
      std::vector<std::string_view>(records.begin(), records.end()),
      SegmentKind::kReceived);
  ASSERT_TRUE(places.ok()) << places.status();
  ASSERT_EQ(places->size(), 4u);
  for (const bool remembered : {false, true}) {
    const auto fresh = Open(urls.straight);
    const auto& reader = remembered ? segments : fresh;
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ((*places)[i].segment, (*places)[0].segment);
      const auto read = reader->Read((*places)[i]);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_TRUE(*read == records[i]) << i;
    }
  }
  const auto listed = segments->List();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->at(0).segment, (*places)[0].segment);
  EXPECT_EQ(listed->at(0).bytes, 301'004);
  EXPECT_LT(absl::AbsDuration(listed->at(0).modified - absl::Now()),
            absl::Minutes(10));
}

TEST(ObjectSegmentsTest, KeysHaveTheHourAndTheKind) {
  const auto segments = Open(FreshObjectUrls().straight);
  ASSERT_TRUE(segments->Write({"a"}, SegmentKind::kReceived).ok());
  ASSERT_TRUE(segments->Write({"b"}, SegmentKind::kPacked).ok());
  std::map<SegmentKind, std::string> keys;
  const auto listed = segments->List().value();
  for (const SegmentInfo& info : listed) {
    EXPECT_FALSE(info.is_open);
    keys[info.kind] = info.segment;
  }
  const std::string begin = "v1/[0-9]+/[0-9]+/[0-9]+/[0-9]+/[0-9a-v]+.";
  EXPECT_THAT(keys[SegmentKind::kReceived], MatchesRegex(begin + "received"));
  EXPECT_THAT(keys[SegmentKind::kPacked], MatchesRegex(begin + "packed"));
}

TEST(ObjectSegmentsTest, WhatIsGoneIsNotFound) {
  const auto segments = Open(FreshObjectUrls().straight);
  const auto places =
      segments->Write({"one", "two"}, SegmentKind::kReceived).value();
  ASSERT_TRUE(segments->Read(places[0]).ok());
  ASSERT_TRUE(segments->Delete(places[0].segment).ok());
  ASSERT_TRUE(segments->Delete(places[0].segment).ok()) << "again";
  for (const Place& place : places) {
    EXPECT_TRUE(absl::IsNotFound(segments->Read(place).status()));
  }
  EXPECT_THAT(segments->List().value(), IsEmpty());
  EXPECT_THAT(segments->Write({}, SegmentKind::kReceived).value(), IsEmpty());
  EXPECT_THAT(segments->List().value(), IsEmpty());
}

TEST(ObjectSegmentsTest, PlacesBeyondTheEndAreDamage) {
  const auto segments = Open(FreshObjectUrls().straight);
  Place place = segments->Write({"12345"}, SegmentKind::kReceived).value()[0];
  place.offset = 1;
  EXPECT_TRUE(absl::IsDataLoss(segments->Read(place).status()));
  place.offset = 100;
  EXPECT_TRUE(absl::IsDataLoss(segments->Read(place).status()));
}

// A store of so many objects, which lists them.
class ManyObjects : public ObjectStore {
 public:
  explicit ManyObjects(int count) : count_(count) {}

  absl::Status Put(std::string_view, std::string_view) override { return no_; }
  absl::StatusOr<std::string> Get(std::string_view, size_t) override {
    return no_;
  }
  absl::StatusOr<std::string> GetRange(std::string_view, int64_t,
                                       int64_t) override {
    return no_;
  }
  absl::Status Delete(std::string_view) override { return no_; }
  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view after,
                                               int limit) override {
    std::vector<ObjectInfo> objects;
    for (int i = 0; i < count_ && static_cast<int>(objects.size()) < limit;
         ++i) {
      ObjectInfo info = {absl::StrCat("v1/", absl::Dec(i, absl::kZeroPad5)), i};
      if (prefix == "v1/" && info.key > after) objects.push_back(info);
    }
    return objects;
  }

 private:
  const int count_;
  const absl::Status no_ = absl::UnimplementedError("only listed");
};

TEST(ObjectSegmentsTest, ListsMoreThanARequestHas) {
  for (const int count : {0, 999, 1000, 1001, 2500}) {
    ObjectSegments segments(std::make_unique<ManyObjects>(count), nullptr);
    const auto listed = segments.List();
    ASSERT_TRUE(listed.ok()) << listed.status();
    ASSERT_EQ(listed->size(), static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) EXPECT_EQ((*listed)[i].bytes, i);
  }
}

TEST(ObjectSegmentsTest, WhatPassesIsTriedAgain) {
  const auto segments = Open(FreshObjectUrls().through_faults);
  const std::string record = Bytes(100'000, 3);
  std::vector<Place> written;
  for (const char* faults : {"503 503", "late", "drop-before", "drop-after"}) {
    ScriptFaults(faults);
    const auto places = segments->Write({record}, SegmentKind::kReceived);
    ASSERT_TRUE(places.ok()) << faults << ": " << places.status();
    written.push_back((*places)[0]);
  }
  for (const char* faults : {"503", "half half", "drop-before", "late"}) {
    ScriptFaults(faults);
    const auto read = segments->Read(written[0]);
    ASSERT_TRUE(read.ok()) << faults << ": " << read.status();
    EXPECT_TRUE(*read == record) << faults;
  }
  ScriptFaults("503 drop-after half");
  EXPECT_EQ(segments->List().value().size(), written.size())
      << "an attempt leaves no object beside the other's";
  ScriptFaults("drop-after 503");
  EXPECT_TRUE(segments->Delete(written[0].segment).ok());
  EXPECT_EQ(segments->List().value().size(), written.size() - 1);
}

TEST(ObjectSegmentsTest, ChecksThatItCanBeWritten) {
  const ObjectUrls urls = FreshObjectUrls();
  const auto segments = Open(urls.through_faults);
  std::string refused;
  for (int i = 0; i < 20; ++i) refused += "503 ";
  ScriptFaults(refused);
  const absl::Status status = segments->Check();
  ScriptFaults("");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(segments->Check().ok()) << "asked again";
  ScriptFaults("503");
  EXPECT_TRUE(segments->Check().ok()) << "it worked a moment ago";
  ScriptFaults("");
  EXPECT_THAT(segments->List().value(), IsEmpty()) << "that is no segment";
}

// --- what was read of late ---------------------------------------------------

TEST(ExtentCacheTest, GivesWhatItHasWhole) {
  ExtentCache cache(100);
  cache.Put("a", 10, "0123456789");
  EXPECT_EQ(cache.Get("a", 10, 10), "0123456789");
  EXPECT_EQ(cache.Get("a", 12, 3), "234");
  EXPECT_EQ(cache.Get("a", 20, 0), "");
  EXPECT_EQ(cache.Get("a", 9, 2), std::nullopt);
  EXPECT_EQ(cache.Get("a", 19, 2), std::nullopt);
  EXPECT_EQ(cache.Get("a", 25, 1), std::nullopt);
  EXPECT_EQ(cache.Get("b", 10, 1), std::nullopt);
  cache.Drop("b");
  cache.Drop("a");
  EXPECT_EQ(cache.Get("a", 10, 1), std::nullopt);
}

TEST(ExtentCacheTest, HasABound) {
  ExtentCache cache(10);
  cache.Put("a", 0, "aaaa");
  cache.Put("b", 0, "bbbb");
  EXPECT_TRUE(cache.Get("a", 0, 4).has_value());
  cache.Put("c", 0, "cccc");
  EXPECT_TRUE(cache.Get("a", 0, 4).has_value()) << "it was asked for";
  EXPECT_FALSE(cache.Get("b", 0, 4).has_value());
  cache.Put("c", 4, "dddddd");
  EXPECT_TRUE(cache.Get("a", 0, 4).has_value()) << "c's first gives way";
  cache.Put("e", 0, std::string(11, 'e'));
  EXPECT_FALSE(cache.Get("e", 0, 1).has_value()) << "larger than all";
  EXPECT_TRUE(cache.Get("c", 4, 6).has_value());
}

}  // namespace
}  // namespace wallprof::store::shared
