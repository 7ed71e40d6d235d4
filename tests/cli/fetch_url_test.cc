#include "cli/fetch_url.h"

#include <gtest/gtest.h>

namespace wallprof::cli {
namespace {

std::string UrlOf(const std::string& address) {
  absl::StatusOr<FetchUrl> url = MakeFetchUrl(address, {{"seconds", "2"}});
  return url.ok() ? url->url : std::string(url.status().message());
}

TEST(FetchUrlTest, HostAndPortBecomeAUrl) {
  EXPECT_EQ(UrlOf("host:6060"), "http://host:6060/?seconds=2");
  EXPECT_EQ(UrlOf("[::1]:6060"), "http://[::1]:6060/?seconds=2");
  EXPECT_EQ(UrlOf("host:6060/debug/pprof/wall"),
            "http://host:6060/debug/pprof/wall?seconds=2");
}

TEST(FetchUrlTest, PortAloneIsOfThisMachine) {
  EXPECT_EQ(UrlOf("6060"), "http://127.0.0.1:6060/?seconds=2");
  EXPECT_EQ(UrlOf(":6060"), "http://127.0.0.1:6060/?seconds=2");
}

TEST(FetchUrlTest, UrlKeepsItsPathAndQuery) {
  EXPECT_EQ(UrlOf("https://host/a/b?threads=1"),
            "https://host/a/b?threads=1&seconds=2");
}

TEST(FetchUrlTest, UnixSocketIsConnectedToInsteadOfAHost) {
  absl::StatusOr<FetchUrl> url =
      MakeFetchUrl("unix:/run/a b", {{"seconds", "2"}});
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->unix_socket, "/run/a b");
  EXPECT_EQ(url->url, "http://localhost/?seconds=2");
}

TEST(FetchUrlTest, ParameterInTheUrlGoesBeforeADefault) {
  absl::StatusOr<FetchUrl> url = MakeFetchUrl(
      "http://host/?seconds=5", {{"seconds", "10", true}, {"view", "cpu"}});
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->url, "http://host/?seconds=5&view=cpu");
  EXPECT_EQ(ParameterOf(url->url, "seconds"), "5");
  EXPECT_EQ(ParameterOf(url->url, "hz"), "");
}

TEST(FetchUrlTest, ParameterGivenTwiceIsRefused) {
  EXPECT_EQ(UrlOf("http://host/?seconds=5"), "seconds is in the URL already");
}

TEST(FetchUrlTest, WhatIsNoAddressIsRefused) {
  for (const char* address :
       {"", "unix:", "ftp://host/", "host:port", "a b", "http://"}) {
    absl::StatusOr<FetchUrl> url = MakeFetchUrl(address, {});
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
}

}  // namespace
}  // namespace wallprof::cli
