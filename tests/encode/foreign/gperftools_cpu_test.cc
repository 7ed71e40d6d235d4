#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "profiler/encode/foreign/recognize.h"
#include "tests/profile/profile_text.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

constexpr char kMaps[] =
    "00400000-00401000 r--p 00000000 08:01 1   /bin/demo\n"
    "00401000-00402000 r-xp 00001000 08:01 1   /bin/demo\n"
    "7f0000000000-7f0000001000 r-xp 00026000 08:01 2   /lib/a b.so (deleted)\n"
    "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0   [stack]\n";

std::string Words(const std::vector<uint64_t>& words) {
  std::string bytes(words.size() * sizeof(uint64_t), '\0');
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

// Header, two stacks, and the last one.
std::string WholeFile() {
  return Words({0, 3, 0, 10000, 0,                         //
                3, 3, 0x401010, 0x401010, 0x7f0000000101,  //
                1, 1, 0x900000,                            //
                0, 1, 0}) +
         kMaps;
}

TEST(GperftoolsCpuTest, AddressesArePlacesInFiles) {
  absl::StatusOr<Profile> profile = DecodeGperftoolsCpu(WholeFile());
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
  EXPECT_THAT(profile->sample_types,
              ElementsAre(ValueType{"samples", "count"},
                          ValueType{"cpu", "nanoseconds"}));
  EXPECT_EQ(profile->period, 10'000'000);
  ASSERT_EQ(profile->samples.size(), 2);
  EXPECT_THAT(profile->samples[0].values, ElementsAre(3, 30'000'000));
  // The leaf came twice; a caller's address lies within its call.
  EXPECT_EQ(EncodeFolded(*profile),
            "0x900000 10000\n"
            "a b.so (deleted)+0x26100;demo+0x1010 30000\n");
}

TEST(GperftoolsCpuTest, IsRecognisedByItsHeader) {
  EXPECT_TRUE(IsGperftoolsCpu(WholeFile()));
  EXPECT_FALSE(IsGperftoolsCpu(Words({0, 3})));
  EXPECT_FALSE(IsGperftoolsCpu(Words({0, 3, 1, 1})));
  EXPECT_FALSE(IsGperftoolsCpu("main;work 5\n"));
  absl::StatusOr<Profile> profile = Decode(WholeFile());
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(ProfileText(*profile),
            ProfileText(*DecodeGperftoolsCpu(WholeFile())));
}

TEST(GperftoolsCpuTest, ErrorsNameTheByte) {
  std::string header = Words({0, 3, 0, 10000, 0});
  for (const auto& [bytes, error] :
       {std::pair(std::string("x"), "byte 0: not a header of 64-bit words"),
        std::pair(header.substr(0, 32), "byte 0: the header is cut short"),
        std::pair(Words({0, 3, 0, 0, 0}),
                  "byte 32: the sampling period before it is none"),
        std::pair(header, "byte 40: it ends without a last stack"),
        std::pair(header + Words({1, 2, 3}),
                  "byte 56: a stack is longer than the file"),
        std::pair(header + Words({0, 2, 3, 4}),
                  "byte 56: a stack has no count"),
        std::pair(header + Words({uint64_t{1} << 33, 1, 3}),
                  "byte 56: a stack's count is too large"),
        std::pair(header + Words({0, 1, 0}) + "00400000 r-xp\n",
                  "byte 64: not a line of a memory map")}) {
    EXPECT_EQ(DecodeGperftoolsCpu(bytes).status(),
              absl::InvalidArgumentError(error));
  }
}

TEST(GperftoolsCpuTest, EveryCutIsAnErrorOrLosesOnlyTheMap) {
  std::string whole = WholeFile();
  size_t stacks = whole.size() - (sizeof(kMaps) - 1);
  for (size_t size = 0; size < stacks; ++size) {
    EXPECT_FALSE(DecodeGperftoolsCpu(whole.substr(0, size)).ok()) << size;
  }
  EXPECT_TRUE(DecodeGperftoolsCpu(whole.substr(0, stacks)).ok());
}

}  // namespace
}  // namespace wallprof
