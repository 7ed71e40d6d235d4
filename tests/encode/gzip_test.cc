#include "profiler/encode/gzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace wallprof {
namespace {

using testing::HasSubstr;

constexpr size_t kPlenty = 1 << 24;

std::string Random(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1664525 + 1013904223;
    bytes.push_back(static_cast<char>(state >> 24));
  }
  return bytes;
}

void ExpectRefused(std::string_view bytes, const std::string& words) {
  absl::StatusOr<std::string> unpacked = Gunzip(bytes, kPlenty);
  EXPECT_EQ(unpacked.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unpacked.status().message()), HasSubstr(words));
}

TEST(GzipTest, UnpacksWhatItPacked) {
  for (size_t size : {0, 1, 100, 65536, 1'000'000}) {
    std::string bytes = Random(size);
    std::string packed = Gzip(bytes);
    EXPECT_TRUE(IsGzip(packed));
    absl::StatusOr<std::string> unpacked = Gunzip(packed, kPlenty);
    ASSERT_TRUE(unpacked.ok()) << unpacked.status();
    EXPECT_TRUE(*unpacked == bytes) << size;
  }
}

TEST(GzipTest, HeaderHasNoTimeAndNoName) {
  std::string packed = Gzip("bytes");
  EXPECT_EQ(packed.substr(0, 8), std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
  EXPECT_EQ(packed, Gzip("bytes"));
}

TEST(GzipTest, MembersAreConcatenated) {
  absl::StatusOr<std::string> unpacked =
      Gunzip(Gzip("one ") + Gzip("") + Gzip("two"), kPlenty);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(*unpacked, "one two");
}

TEST(GzipTest, EveryTruncationIsRefused) {
  std::string packed = Gzip(Random(300));
  for (size_t size = 0; size < packed.size(); ++size) {
    ExpectRefused(packed.substr(0, size), "unexpected EOF");
  }
}

TEST(GzipTest, TruncatedSecondMemberIsRefused) {
  std::string packed = Gzip("one") + Gzip("two");
  packed.pop_back();
  ExpectRefused(packed, "unexpected EOF");
}

TEST(GzipTest, DamageIsRefused) {
  std::string packed = Gzip("some bytes");
  std::string wrong_sum = packed;
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  ExpectRefused(wrong_sum, "gzip: incorrect data check");
  std::string wrong_method = packed;
  wrong_method[2] = 1;
  ExpectRefused(wrong_method, "gzip: unknown compression method");
  ExpectRefused(packed + "trailing", "gzip: incorrect header check");
}

TEST(GzipTest, MoreThanTheBoundIsRefused) {
  std::string packed = Gzip(std::string(1'000'000, 'x'));
  EXPECT_TRUE(Gunzip(packed, 1'000'000).ok());
  EXPECT_EQ(Gunzip(packed, 999'999).status(),
            absl::InvalidArgumentError("more than 999999 bytes when unpacked"));
}

}  // namespace
}  // namespace wallprof
