#include "http/host_guard.h"

#include <gtest/gtest.h>

namespace wallprof::http {
namespace {

TEST(HostGuardTest, AllowsAddressesAndLocalhost) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:6060", "10.1.2.3:80", "[::1]", "[::1]:6060",
        "[fe80::1]:1", "localhost", "localhost:6060", "LocalHost"}) {
    EXPECT_TRUE(IsAllowedHost(host, {})) << host;
  }
}

TEST(HostGuardTest, RefusesOtherNames) {
  for (const char* host : {"example.com",
                           "example.com:6060",
                           "localhost.example.com",
                           "localhost.",
                           "127.0.0.1.example.com",
                           "127.0.0.1, evil",
                           "[::1",
                           "[::1]x",
                           "[example.com]",
                           "::1",
                           "localhost:6060x",
                           "localhost:a",
                           "2130706433",
                           "127.1",
                           " localhost",
                           "[",
                           "[]",
                           ":",
                           ":80",
                           "user@localhost"}) {
    EXPECT_FALSE(IsAllowedHost(host, {})) << host;
  }
}

TEST(HostGuardTest, AllowsTheNamesTheProgramGave) {
  EXPECT_TRUE(IsAllowedHost("Build-7:6060", {"other", "build-7"}));
  EXPECT_FALSE(IsAllowedHost("build-8", {"other", "build-7"}));
}

}  // namespace
}  // namespace wallprof::http
