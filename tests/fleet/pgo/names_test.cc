#include "fleet/pgo/names.h"

#include <gtest/gtest.h>

#include <string>

namespace wallprof::pgo {
namespace {

TEST(NamesTest, AppsAreStepsOfKeys) {
  EXPECT_TRUE(CheckApp("shop-2").ok());
  EXPECT_TRUE(CheckApp(std::string(kMaxAppBytes, 'a')).ok());
  for (const std::string& wrong :
       {std::string(), std::string("Shop"), std::string("a/b"),
        std::string("a_b"), std::string(".."), std::string("a b"),
        std::string("\xc3\xa4"), std::string(1, '\0'),
        std::string(kMaxAppBytes + 1, 'a')}) {
    const absl::Status status = CheckApp(wrong);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_EQ(status.message().substr(0, 16), "invalid app name") << wrong;
  }
}

TEST(NamesTest, StagingKeysAreReadAsTheyAreWritten) {
  const std::string key = StagingKey("shop", 1767323045678000000);
  EXPECT_EQ(key, "shop/staging/1767323045678000000");
  const auto name = ParseStagingKey(key);
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->app, "shop");
  EXPECT_EQ(name->unix_nanoseconds, 1767323045678000000);
  EXPECT_EQ(QuarantineKey(key), "shop/quarantine/1767323045678000000");
  EXPECT_EQ(ReasonKey(key), "shop/quarantine/1767323045678000000.reason");
}

TEST(NamesTest, OtherKeysAreNoStagingKeys) {
  for (const char* other :
       {"", "shop", "shop/staging/", "shop/default.pgo", "shop/staging/12x",
        "shop/staging/-12", "shop/staging/12345678901234567890",
        "shop/staging/9999999999999999999", "Shop/staging/12", "/staging/12",
        "a/b/staging/12", "shop/quarantine/12"}) {
    EXPECT_FALSE(ParseStagingKey(other).has_value()) << other;
  }
}

}  // namespace
}  // namespace wallprof::pgo
