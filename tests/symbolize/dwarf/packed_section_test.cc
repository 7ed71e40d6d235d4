#include "profiler/symbolize/dwarf/packed_section.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <random>
#include <string>

namespace wallprof::symbolize {
namespace {

// Larger than what lies between two states that are kept.
constexpr size_t kSize = 20'000'000;

class PackedSectionTest : public ::testing::Test {
 protected:
  PackedSectionTest() : whole_(kSize, '\0') {
    // Numbers that are written out: they pack, but not to nothing.
    std::string number;
    for (size_t i = 0, at = 0; at < kSize; at += number.size(), ++i) {
      number = std::to_string(i * 2654435761u % 1'000'003);
      whole_.replace(at, std::min(number.size(), kSize - at),
                     number.substr(0, kSize - at));
    }
    uLongf size = compressBound(kSize);
    packed_.resize(size);
    compress2(reinterpret_cast<Bytef*>(packed_.data()), &size,
              reinterpret_cast<const Bytef*>(whole_.data()), kSize, 1);
    packed_.resize(size);
    Write(packed_);
  }
  ~PackedSectionTest() override { close(fd_); }

  void Write(const std::string& content) {
    EXPECT_EQ(ftruncate(fd_, 0), 0);
    // It does not begin with the file.
    EXPECT_EQ(pwrite(fd_, content.data(), content.size(), 100),
              static_cast<ssize_t>(content.size()));
  }

  PackedExtent Extent() const { return {100, packed_.size(), kSize}; }

  const int fd_ = memfd_create("packed", MFD_CLOEXEC);
  std::string whole_;
  std::string packed_;
};

TEST_F(PackedSectionTest, AnyPartIsWhatWasPacked) {
  PackedSection section(fd_, Extent());
  std::mt19937_64 random(1);
  std::string part;
  for (int i = 0; i < 60; ++i) {
    const size_t offset = random() % kSize;
    part.assign(std::min<size_t>(1 + random() % 100'000, kSize - offset), '?');
    section.Read(offset, part.size(), part.data());
    ASSERT_EQ(part, whole_.substr(offset, part.size())) << offset;
  }
  EXPECT_LT(section.bytes(), kSize / 15);
}

TEST_F(PackedSectionTest, BeyondTheEndNothingIsChanged) {
  PackedSection section(fd_, Extent());
  std::string part(100, '?');
  section.Read(kSize - 10, part.size(), part.data());
  EXPECT_EQ(part, whole_.substr(kSize - 10) + std::string(90, '?'));
  part.assign(100, '?');
  section.Read(kSize + 10, part.size(), part.data());
  EXPECT_EQ(part, std::string(100, '?'));
}

TEST_F(PackedSectionTest, WhatIsBrokenIsReadUpToThere) {
  Write(packed_.substr(0, packed_.size() / 2) + std::string(1000, '\xff'));
  PackedSection section(fd_, Extent());
  std::string part(100, '?');
  section.Read(kSize - 1000, part.size(), part.data());
  EXPECT_EQ(part, std::string(100, '?'));
  section.Read(1000, part.size(), part.data());
  EXPECT_EQ(part, whole_.substr(1000, part.size()));
}

TEST_F(PackedSectionTest, AFileCutShortIsReadUpToThere) {
  PackedSection section(fd_, Extent());
  EXPECT_EQ(ftruncate(fd_, 1000), 0);
  std::string part(100, '?');
  section.Read(kSize / 2, part.size(), part.data());
  EXPECT_EQ(part, std::string(100, '?'));
  section.Read(0, part.size(), part.data());
  EXPECT_EQ(part, whole_.substr(0, part.size()));
}

}  // namespace
}  // namespace wallprof::symbolize
