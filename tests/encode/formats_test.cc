#include "wallprof/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/encode/pprof_message.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"

namespace wallprof {
namespace {

TEST(FormatsTest, SuffixDecides) {
  EXPECT_EQ(FormatOfPath("a.folded"), Format::kFolded);
  EXPECT_EQ(FormatOfPath("/x/a.b.txt"), Format::kFolded);
  EXPECT_EQ(FormatOfPath("a.pb.gz"), Format::kPprof);
  EXPECT_EQ(FormatOfPath("a.pprof"), Format::kPprof);
  EXPECT_EQ(FormatOfPath("a.speedscope.json"), Format::kSpeedscope);
  EXPECT_EQ(FormatOfPath("a.trace.json"), Format::kChrome);
  EXPECT_EQ(FormatOfPath("a.svg"), Format::kSvg);
  EXPECT_EQ(FormatOfPath("a.html"), Format::kHtml);
  EXPECT_EQ(FormatOfPath("a.json"), Format::kJson);
  for (const char* path : {"", "a", "folded", "a.gz", "a.png", "a.folded/b"}) {
    EXPECT_EQ(FormatOfPath(path), std::nullopt) << path;
  }
}

TEST(FormatsTest, EachFormatHasAName) {
  EXPECT_EQ(FormatOfName("folded"), Format::kFolded);
  EXPECT_EQ(FormatOfName("pprof"), Format::kPprof);
  EXPECT_EQ(FormatOfName("speedscope"), Format::kSpeedscope);
  EXPECT_EQ(FormatOfName("svg"), Format::kSvg);
  EXPECT_EQ(FormatOfName("html"), Format::kHtml);
  EXPECT_EQ(FormatOfName("json"), Format::kJson);
  EXPECT_EQ(FormatOfName("chrome"), Format::kChrome);
  EXPECT_EQ(FormatOfName("png"), std::nullopt);
  EXPECT_EQ(FormatOfName(""), std::nullopt);
}

TEST(FormatsTest, DecodeTellsFormatsApartByContent) {
  Profile full = FullProfile();
  for (const std::string& bytes :
       {EncodePprof(full), EncodePprofMessage(full)}) {
    absl::StatusOr<Profile> profile = Decode(bytes);
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_EQ(EncodePprof(*profile), EncodePprof(full));
  }
  for (std::string_view text : {"a;b 1\n", "\n a 1\n", "\ta 1\r\n"}) {
    absl::StatusOr<Profile> profile = Decode(text);
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_EQ(profile->samples.size(), 1);
  }
}

TEST(FormatsTest, SmallestPprofIsNotTakenForText) {
  std::string message = EncodePprofMessage(Profile());
  absl::StatusOr<Profile> profile = Decode(message);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_TRUE(profile->sample_types.empty());
}

TEST(FormatsTest, EncodeOfEachFormatIsDecoded) {
  for (Format format : {Format::kFolded, Format::kPprof}) {
    absl::StatusOr<Profile> profile = Decode(Encode(FullProfile(), format));
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_EQ(EncodeFolded(*profile), EncodeFolded(FullProfile()));
  }
}

TEST(FormatsTest, NeitherFormatIsRefused) {
  EXPECT_FALSE(Decode("<html>not found</html>").ok());
  EXPECT_FALSE(Decode(std::string("\0\1\2", 3)).ok());
}

}  // namespace
}  // namespace wallprof
