#include "fleet/gzip/whole_gzip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "wallprof/pprof_merge.h"

namespace wallprof::fleet {
namespace {

constexpr size_t kEnough = 1 << 20;

std::string Text(size_t size) {
  std::mt19937 random(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % 5);
  return text;
}

TEST(WholeGzipTest, UnpacksWhatEitherPacked) {
  std::string message = "of before";
  for (size_t size : {0, 1, 1000, 300'000, 2}) {
    const std::string text = Text(size);
    EXPECT_EQ(*UnpackWhole(PackPprof(text), kEnough), text);
    EXPECT_EQ(*UnpackPprof(PackWhole(text), kEnough), text);
    EXPECT_EQ(PackWhole(text), PackWhole(text));
    ASSERT_TRUE(UnpackWhole(PackWhole(text), kEnough, message).ok());
    EXPECT_EQ(message, text);
  }
}

TEST(WholeGzipTest, UnpacksMembersOneAfterTheOther) {
  const std::string text = Text(1000);
  EXPECT_EQ(*UnpackWhole(PackWhole(text) + PackPprof("end"), kEnough),
            text + "end");
}

TEST(WholeGzipTest, TakesWhatIsNotPackedAsItIs) {
  EXPECT_EQ(*UnpackWhole("plain", kEnough), "plain");
  EXPECT_EQ(*UnpackWhole("", kEnough), "");
}

TEST(WholeGzipTest, RefusesInTheWordsOfUnpackPprof) {
  const std::string packed = PackWhole(Text(100'000));
  std::string grown = packed;  // to what no gzip could hold so much of
  grown.replace(grown.size() - 4, 4, "\xff\xff\xff\x7f");
  std::string flipped = packed;
  flipped[packed.size() / 2] ^= 0x55;
  for (const std::string& bytes :
       {packed.substr(0, 1), packed.substr(0, 10), packed.substr(0, 1000),
        packed + "more", grown, flipped}) {
    for (size_t max_bytes : {size_t{99'999}, kEnough, size_t{1} << 40}) {
      absl::StatusOr<std::string> expected = UnpackPprof(bytes, max_bytes);
      absl::StatusOr<std::string> unpacked = UnpackWhole(bytes, max_bytes);
      EXPECT_EQ(unpacked.status(), expected.status());
      if (expected.ok()) {
        EXPECT_EQ(*unpacked, *expected);
      }
    }
  }
  EXPECT_EQ(UnpackWhole(packed, 99'999).status().message(),
            "decompressing profile: more than 99999 bytes when unpacked");
}

}  // namespace
}  // namespace wallprof::fleet
