#include "fleet/transfer/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof::fleet {
namespace {

using ::testing::HasSubstr;

TEST(UrlTest, SchemeAndHostMustBeThere) {
  for (const char* good : {"http://a", "https://a.b:1/c?d=e", "HTTP://a/",
                           "http://[::1]:80", "http://u:p@a/"}) {
    EXPECT_TRUE(CheckUrl(good).ok()) << good;
  }
  for (const char* bad : {"", "a", "a:1", "localhost:5000", "ftp://a", "http:a",
                          "//a", "unix:/a"}) {
    EXPECT_THAT(CheckUrl(bad).message(), HasSubstr("must begin with")) << bad;
  }
  for (const char* bad : {"http://", "http://a:b", "http://a b",
                          "http://a:99999", "http://[::1", "http://a/\n"}) {
    EXPECT_THAT(CheckUrl(bad).message(), HasSubstr("no URL")) << bad;
  }
}

TEST(UrlTest, ThisMachine) {
  for (const char* near :
       {"http://localhost", "http://LOCALHOST:1/", "https://127.0.0.1:8080/a",
        "http://127.1.2.3", "http://[::1]:1", "http://u:p@localhost/"}) {
    EXPECT_TRUE(IsLoopback(near)) << near;
  }
  for (const char* far :
       {"http://localhost.example", "http://a/://localhost", "http://10.0.0.1",
        "http://127.example", "http://localhost@a/", ""}) {
    EXPECT_FALSE(IsLoopback(far)) << far;
  }
}

TEST(UrlTest, ParametersAreAddedOnce) {
  const auto with = [](const std::string& url) {
    return WithParameter(url, "seconds", "30");
  };
  EXPECT_EQ(with("http://a/p"), "http://a/p?seconds=30");
  EXPECT_EQ(with("http://a/p?"), "http://a/p?seconds=30");
  EXPECT_EQ(with("http://a/p?x=%2F&y#z"), "http://a/p?x=%2F&y&seconds=30");
  EXPECT_EQ(with("http://a/p?seconds=5&x=1&seconds"),
            "http://a/p?x=1&seconds=30");
  EXPECT_EQ(with("http://a/p?xseconds=5"), "http://a/p?xseconds=5&seconds=30");
}

TEST(UrlTest, WhatStandsInAQueryIsEscaped) {
  EXPECT_EQ(Escaped("aZ9-._~"), "aZ9-._~");
  EXPECT_EQ(Escaped("a=b,c d/\xff"), "a%3Db%2Cc%20d%2F%FF");
}

TEST(UrlTest, UsersAreNotShown) {
  EXPECT_EQ(WithoutUser("http://u:p@a:1/b@c"), "http://a:1/b@c");
  EXPECT_EQ(WithoutUser("http://u:p@q@a/"), "http://a/");
  EXPECT_EQ(WithoutUser("http://a/b@c?d=@e"), "http://a/b@c?d=@e");
  EXPECT_EQ(WithoutUser("u@a"), "a");
}

}  // namespace
}  // namespace wallprof::fleet
