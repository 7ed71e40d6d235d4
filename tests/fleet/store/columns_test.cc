#include "fleet/store/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wallprof::store {
namespace {

// A field of a message: a number, or bytes.
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string Field(int field, uint64_t value) {
  return Varint(static_cast<uint64_t>(field) << 3) + Varint(value);
}

std::string Field(int field, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(bytes.size()) +
         bytes;
}

std::string SampleOf(const std::vector<uint64_t>& stack,
                     const std::vector<uint64_t>& values) {
  std::string ids;
  for (const uint64_t id : stack) ids += Varint(id);
  std::string all;
  for (const uint64_t value : values) all += Varint(value);
  return Field(
      2, Field(1, ids) + Field(2, all) + Field(3, Field(1, 5) + Field(2, 6)));
}

// With all that profiles have, and numbers of all sizes.
std::string Profile() {
  std::string profile = Field(1, Field(1, 1) + Field(2, 2));
  profile += SampleOf({1, 2, 3, 4}, {1, 2, 3});
  profile += SampleOf({7, 3, 4}, {1, UINT64_MAX, 300});
  profile += SampleOf({}, {});
  profile += SampleOf({UINT64_MAX, 1 << 20}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  std::vector<uint64_t> deep;
  for (uint64_t i = 0; i < 300; ++i) deep.push_back(1000 - 3 * i);
  for (int i = 0; i < 3; ++i) {
    profile += SampleOf(deep, {1, 1, 1});
    deep[0] += 5;
  }
  profile += Field(3, Field(1, 1) + Field(2, 0x400000) + Field(7, 1));
  for (uint64_t i = 1; i < 5; ++i) {
    profile +=
        Field(4, Field(1, i) + Field(2, 1) + Field(3, 0x7fff00000000 + 64 * i) +
                     Field(4, Field(1, i) + Field(2, 10 * i)));
    profile += Field(5, Field(1, i) + Field(2, 2 * i) + Field(3, 2 * i + 1));
  }
  profile += Field(6, "");
  profile += Field(6, "main");
  profile += Field(9, 1'800'000'000) + Field(10, 1) + Field(11, Field(1, 1));
  return profile + Field(13, Varint(4) + Varint(5)) + Field(14, 3);
}

TEST(ColumnsTest, GiveTheProfileBackByteForByte) {
  const std::string profile = Profile();
  const auto columns = SplitColumns(profile);
  ASSERT_TRUE(columns.has_value());
  const auto joined =
      JoinColumns(*columns, static_cast<int64_t>(profile.size()));
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(*joined, profile);
}

TEST(ColumnsTest, OfNothingAreNothing) {
  const auto columns = SplitColumns("");
  ASSERT_TRUE(columns.has_value());
  EXPECT_EQ(JoinColumns(*columns, 0).value_or("wrong"), "");
}

TEST(ColumnsTest, WhatIsNoProfileIsLeftAlone) {
  const std::string others[] = {"{\"traceEvents\":[]}",
                                std::string(100, '\xff'),
                                Field(2, "not a sample"),
                                std::string("\x0d\1\2\3\4", 5),  // fixed32
                                Profile() + "\x32\x7f",          // cut short
                                Field(100, 1)};
  for (const std::string& other : others) {
    EXPECT_FALSE(SplitColumns(other).has_value()) << other;
  }
}

TEST(ColumnsTest, NumbersThatAreWrittenAtLengthStayAsTheyAre) {
  // Both are one, and it would come back as the shorter.
  EXPECT_TRUE(SplitColumns(std::string("\x48\x01", 2)).has_value());
  EXPECT_FALSE(SplitColumns(std::string("\x48\x81\x00", 3)).has_value());
  EXPECT_FALSE(SplitColumns(std::string("\x32\x81\x00x", 4)).has_value());
}

TEST(ColumnsTest, DamageIsNoticed) {
  const std::string profile = Profile();
  const auto columns = SplitColumns(profile);
  ASSERT_TRUE(columns.has_value());
  const auto bytes = static_cast<int64_t>(profile.size());
  for (size_t size = 0; size < columns->size(); ++size) {
    EXPECT_EQ(JoinColumns(columns->substr(0, size), bytes).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  for (const int64_t wrong : {bytes - 1, bytes + 1, int64_t{0}}) {
    EXPECT_FALSE(JoinColumns(*columns, wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace wallprof::store
