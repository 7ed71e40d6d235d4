#include "profiler/symbolize/dwarf/file_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

class FileCopyTest : public ::testing::Test {
 protected:
  FileCopyTest() : fd_(open(path_.c_str(), O_RDWR | O_CREAT, 0600)) {
    std::string text(kSize, 'x');
    text[5000] = '\0';
    EXPECT_EQ(write(fd_, text.data(), text.size()), ssize_t{kSize});
  }
  ~FileCopyTest() override { close(fd_); }

  static constexpr size_t kSize = 100'000;
  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/file";
  const int fd_;
};

TEST_F(FileCopyTest, PagesAreCopiedWhenTheyAreAskedFor) {
  const auto copy = FileCopy::Of(fd_);
  ASSERT_TRUE(copy.ok()) << copy.status();
  char* data = (*copy)->data();
  EXPECT_EQ((*copy)->size(), kSize);
  EXPECT_EQ(data[10], '\0');
  (*copy)->Read(data + 10, 1);
  EXPECT_EQ(data[10], 'x');
  EXPECT_EQ(data[4095], 'x');
  EXPECT_EQ(data[4096], '\0');
  EXPECT_LT((*copy)->bytes(), 8192u);
  (*copy)->Read(data, kSize + 1000);
  EXPECT_EQ(data[kSize - 1], 'x');
}

TEST_F(FileCopyTest, TextIsCopiedUpToItsEnd) {
  const auto copy = FileCopy::Of(fd_);
  ASSERT_TRUE(copy.ok()) << copy.status();
  char* data = (*copy)->data();
  (*copy)->ReadText(data + 4000);
  EXPECT_EQ(std::string(data + 4000), std::string(1000, 'x'));
  EXPECT_LT((*copy)->bytes(), size_t{3 * 4096});
  // The last string ends with the file.
  (*copy)->ReadText(data + kSize - 10);
  EXPECT_EQ(std::string(data + kSize - 10), std::string(10, 'x'));
}

TEST_F(FileCopyTest, PointersToElsewhereAreLeftAlone) {
  const auto copy = FileCopy::Of(fd_);
  ASSERT_TRUE(copy.ok()) << copy.status();
  const char text[] = "elsewhere";
  (*copy)->Read(text, sizeof text);
  (*copy)->ReadText(text);
  (*copy)->Read((*copy)->data() + kSize, 1);
  EXPECT_LT((*copy)->bytes(), 4096u);
}

TEST_F(FileCopyTest, PackedSectionsLieBehindTheFile) {
  // "packed" and a zero byte, by zlib.
  const std::string packed(
      "\x78\x9c\x2b\x48\x4c\xce\x4e\x4d\x61\x00\x00\x0b\x13\x02\x76", 15);
  ASSERT_EQ(pwrite(fd_, packed.data(), packed.size(), 100),
            static_cast<ssize_t>(packed.size()));
  const auto copy = FileCopy::Of(fd_, {{100, packed.size(), 7}});
  ASSERT_TRUE(copy.ok()) << copy.status();
  const char* unpacked = (*copy)->data() + (*copy)->unpacked_offset(0);
  EXPECT_TRUE((*copy)->IsUnpacked(unpacked));
  EXPECT_FALSE((*copy)->IsUnpacked((*copy)->data()));
  EXPECT_EQ(std::string(unpacked), "");
  (*copy)->ReadText(unpacked);
  EXPECT_EQ(std::string(unpacked), "packed");
  (*copy)->Read((*copy)->data() + 5000, 1);
  EXPECT_EQ((*copy)->data()[5001], 'x');
}

// Where a mapping would raise SIGBUS.
TEST_F(FileCopyTest, AFileCutShortReadsAsZeros) {
  const auto copy = FileCopy::Of(fd_);
  ASSERT_TRUE(copy.ok()) << copy.status();
  char* data = (*copy)->data();
  (*copy)->Read(data, 10);
  ASSERT_EQ(ftruncate(fd_, 0), 0);
  (*copy)->Read(data, kSize);
  EXPECT_EQ(data[0], 'x');
  EXPECT_EQ(data[kSize - 1], '\0');
}

}  // namespace
}  // namespace wallprof::symbolize
