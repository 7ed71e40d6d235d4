#include "fleet/pgo/export/bolt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/symbolize/binutils.h"

namespace wallprof::pgo {
namespace {

using symbolize::ElfImage;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(BoltTest, CallsFunctionsAsBoltDoes) {
  const auto image = ElfImage::Open(SUBJECT);
  ASSERT_TRUE(image.ok());
  CodeCounts counts;
  const auto at = [](const char* name) {
    return symbolize::NmAddress(SUBJECT, name);
  };
  counts.at[at("wp_plain")] = 3;
  counts.at[at("wp_plain") + 4] = 20;
  counts.at[at("_ZN7subjectL7PrivateEi") + 1] = 5;
  counts.at[8] = 100;  // the file's header
  const BoltProfile profile = BoltProfileOf(counts, **image);
  EXPECT_EQ(profile.text,
            "no_lbr cycles:\n"
            "1 wp_plain 0 3\n"
            "1 wp_plain 4 20\n"
            "1 _ZN7subjectL7PrivateEi/subject.cc/1 1 5\n");
  EXPECT_EQ(profile.written, 28);
  EXPECT_THAT(profile.dropped,
              ElementsAre(Pair("in no function's symbol", 100)));
  EXPECT_EQ(profile.functions, 2);
  EXPECT_TRUE(profile.density.has_value());
  EXPECT_FALSE(profile.can_move_functions);
}

TEST(BoltTest, IsEmptyWhereThereAreNoSymbols) {
  const auto image = ElfImage::Open(SUBJECT);
  ASSERT_TRUE(image.ok());
  CodeCounts counts;
  counts.at[8] = 100;
  const BoltProfile profile = BoltProfileOf(counts, **image);
  EXPECT_EQ(profile.text, "");
  EXPECT_EQ(profile.written, 0);
  EXPECT_EQ(profile.density, std::nullopt);
}

}  // namespace
}  // namespace wallprof::pgo
