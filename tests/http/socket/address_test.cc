#include "http/socket/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace wallprof::http {
namespace {

using ::testing::HasSubstr;

std::string UrlOfText(std::string_view text) {
  absl::StatusOr<Address> address = ParseAddress(text);
  return address.ok() ? UrlOf(*address) : address.status().ToString();
}

TEST(AddressTest, ReadsEveryForm) {
  EXPECT_EQ(UrlOfText("127.0.0.1:6060"), "http://127.0.0.1:6060/");
  EXPECT_EQ(UrlOfText("10.1.2.3:1"), "http://10.1.2.3:1/");
  EXPECT_EQ(UrlOfText("6060"), "http://127.0.0.1:6060/");
  EXPECT_EQ(UrlOfText(":6060"), "http://127.0.0.1:6060/");
  EXPECT_EQ(UrlOfText("localhost:65535"), "http://127.0.0.1:65535/");
  EXPECT_EQ(UrlOfText("[::1]:6060"), "http://[::1]:6060/");
  EXPECT_EQ(UrlOfText("0"), "http://127.0.0.1:0/");
  EXPECT_EQ(UrlOfText("unix:/run/x.sock"), "unix:/run/x.sock");
}

TEST(AddressTest, EveryInterfaceIsShownAsLoopback) {
  EXPECT_EQ(UrlOfText("0.0.0.0:80"), "http://127.0.0.1:80/");
  EXPECT_EQ(UrlOfText("[::]:80"), "http://[::1]:80/");
}

TEST(AddressTest, KnowsWhatOnlyThisMachineReaches) {
  for (const char* near : {"6060", "localhost:1", "127.1.2.3:1", "[::1]:1",
                           "[::ffff:127.0.0.1]:1", "unix:/x"}) {
    EXPECT_TRUE(IsLoopback(*ParseAddress(near))) << near;
  }
  for (const char* far : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[0::0]:1",
                          "[::ffff:10.0.0.1]:1", "[fe80::1]:1"}) {
    EXPECT_FALSE(IsLoopback(*ParseAddress(far))) << far;
  }
}

TEST(AddressTest, RelativeUnixPathsBecomeAbsolute) {
  EXPECT_EQ(UrlOfText("unix:x.sock"),
            "unix:" + (std::filesystem::current_path() / "x.sock").string());
}

TEST(AddressTest, SaysWhatIsWrong) {
  for (const char* text : {"", ":", "127.0.0.1:", "127.0.0.1:65536", ":-1",
                           "127.0.0.1:http", "127.0.0.1", "[::1]", ": 80"}) {
    EXPECT_EQ(ParseAddress(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_THAT(UrlOfText("127.0.0.1:70000"),
              HasSubstr("'127.0.0.1:70000': it must be HOST:PORT"));
  EXPECT_THAT(UrlOfText("example.com:80"), HasSubstr("use an IP address"));
  EXPECT_THAT(UrlOfText("1.2.3:80"), HasSubstr("use an IP address"));
  EXPECT_THAT(UrlOfText("[1.2.3.4]:80"), HasSubstr("use an IP address"));
  EXPECT_THAT(UrlOfText("[:80"), HasSubstr("use an IP address"));
  EXPECT_THAT(UrlOfText("::1:6060"), HasSubstr("in brackets"));
  EXPECT_THAT(UrlOfText("unix:"), HasSubstr("path is empty"));
  EXPECT_THAT(UrlOfText("unix:/" + std::string(200, 'a')),
              HasSubstr("longer than 107 bytes"));
  EXPECT_THAT(UrlOfText(std::string_view("unix:/a\0b", 9)),
              HasSubstr("a NUL in it"));
}

}  // namespace
}  // namespace wallprof::http
