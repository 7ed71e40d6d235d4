#include "tests/fleet/store/segments_conformance.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace wallprof::store {

using testing::IsEmpty;
using testing::SizeIs;

void SegmentsConformance::SetUp() {
  place_ = GetParam()();
  Reopen();
}

void SegmentsConformance::Reopen() {
  segments_.reset();
  auto opened = place_->Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  segments_ = *std::move(opened);
}

namespace {

constexpr SegmentKind kReceived = SegmentKind::kReceived;
constexpr SegmentKind kPacked = SegmentKind::kPacked;

TEST_P(SegmentsConformance, GivesBackWhatWasWritten) {
  const std::string large(300'000, 'x');
  const std::vector<std::string_view> records = {"first", large, "third"};
  const auto places = segments_->Write(records, kReceived);
  ASSERT_TRUE(places.ok()) << places.status();
  ASSERT_THAT(*places, SizeIs(3));
  for (const bool again : {false, true}) {
    if (again) Reopen();
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(*segments_->Read((*places)[i]), records[i]);
    }
  }
}

TEST_P(SegmentsConformance, AnyStretchCanBeRead) {
  const auto places = segments_->Write({"0123456789", "abcdef"}, kPacked);
  ASSERT_TRUE(places.ok()) << places.status();
  const std::string& segment = places->front().segment;
  EXPECT_EQ(*segments_->Read({segment, 0, 16}), "0123456789abcdef");
  EXPECT_EQ(*segments_->Read({segment, 8, 4}), "89ab");
  EXPECT_EQ(segments_->Read({segment, 10, 7}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_P(SegmentsConformance, PackedRecordsAreForThemselves) {
  const auto received = segments_->Write({"received"}, kReceived);
  const auto packed = segments_->Write({"packed"}, kPacked);
  const auto more = segments_->Write({"more"}, kReceived);
  ASSERT_TRUE(received.ok() && packed.ok() && more.ok());
  EXPECT_NE(packed->front().segment, received->front().segment);
  EXPECT_NE(packed->front().segment, more->front().segment);
  const auto listed = segments_->List();
  ASSERT_TRUE(listed.ok()) << listed.status();
  for (const SegmentInfo& info : *listed) {
    const bool is_packed = info.segment == packed->front().segment;
    EXPECT_EQ(info.kind, is_packed ? kPacked : kReceived);
    if (is_packed) {
      EXPECT_FALSE(info.is_open);
    }
  }
}

TEST_P(SegmentsConformance, ListsWhatThereIs) {
  EXPECT_THAT(*segments_->List(), IsEmpty());
  const auto places = segments_->Write({"one", "two"}, kReceived);
  ASSERT_TRUE(places.ok()) << places.status();
  Reopen();
  const auto listed = segments_->List();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_THAT(*listed, SizeIs(1));
  EXPECT_EQ(listed->front().segment, places->front().segment);
  EXPECT_EQ(listed->front().bytes, 6);
  EXPECT_FALSE(listed->front().is_open) << "of one that was opened before";
}

TEST_P(SegmentsConformance, WhatIsDeletedIsGone) {
  const auto places = segments_->Write({"one"}, kPacked);
  ASSERT_TRUE(places.ok()) << places.status();
  const std::string& segment = places->front().segment;
  for (int i = 0; i < 2; ++i) {
    const absl::Status deleted = segments_->Delete(segment);
    EXPECT_TRUE(deleted.ok()) << deleted;
  }
  EXPECT_EQ(segments_->Read(places->front()).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(*segments_->List(), IsEmpty());
}

TEST_P(SegmentsConformance, ServesSeveralThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string record = absl::StrCat("thread ", t, " record ", i);
        const auto places =
            segments_->Write({record}, i % 5 == 0 ? kPacked : kReceived);
        ASSERT_TRUE(places.ok()) << places.status();
        EXPECT_EQ(*segments_->Read(places->front()), record);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(SegmentsConformance, CanBeUsed) {
  const absl::Status usable = segments_->Check();
  EXPECT_TRUE(usable.ok()) << usable;
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SegmentsConformance);

}  // namespace wallprof::store
